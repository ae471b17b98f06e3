/** Base64 that stands for certificates; nobody reads them here, and the schema wants no more. */
export const OWN = {
  unmarked: Buffer.from('its certificate without use').toString('base64'),
  next: Buffer.from('its next certificate for signing').toString('base64'),
  encryption: Buffer.from('its certificate for encryption').toString('base64'),
};

const BINDING = 'urn:oasis:names:tc:SAML:2.0:bindings';
const x509 = (text: string) => `<ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n${text}\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`;
const SIGNATURE = `<ds:Signature><ds:SignedInfo>
      <ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
      <ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
      <ds:Reference URI="#_of_the_idp"><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>b2xk</ds:DigestValue></ds:Reference>
    </ds:SignedInfo><ds:SignatureValue>b2xk</ds:SignatureValue></ds:Signature>`;

/** What may be changed in the document. */
export interface IdpMetadataChanges {
  entityId?: string;
  /** Attributes of the root. */
  attributes?: string;
  /** Content of the Extensions of the role. */
  extensions?: string;
  /** Content of the Extensions of the root. */
  rootExtensions?: string;
  /** Base64; instead of the one that is there without use. */
  certificate?: string;
}

/** Metadata as identity providers publish it, with everything that ours takes away, changes or must leave as it is; valid by the schema. */
export function idpMetadata(changes: IdpMetadataChanges = {}): string {
  const { entityId = 'https://idp.example.com/metadata', attributes = '', extensions = '', rootExtensions = '' } = changes;
  return `<?xml version="1.0"?>
<!-- made by a product that writes comments -->
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"
    xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui" xmlns:alg="urn:oasis:names:tc:SAML:metadata:algsupport"
    ID="_of_the_idp" entityID="${entityId}" cacheDuration="P30D"${attributes}>
  ${SIGNATURE}
  ${rootExtensions === '' ? '' : `<Extensions>${rootExtensions}</Extensions>`}
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol urn:oasis:names:tc:SAML:2.0:protocol" cacheDuration="P30D">
    ${SIGNATURE}
    <Extensions>
      <mdui:UIInfo><mdui:DisplayName xml:lang="en">R&amp;D login</mdui:DisplayName></mdui:UIInfo>
      ${extensions}
    </Extensions>
    <KeyDescriptor>
      ${x509(changes.certificate ?? OWN.unmarked)}
      <EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>
    </KeyDescriptor>
    <KeyDescriptor use="encryption">${x509(OWN.encryption)}</KeyDescriptor>
    <KeyDescriptor use="signing">${x509(OWN.next)}</KeyDescriptor>
    <ArtifactResolutionService index="1" Binding="${BINDING}:SOAP" Location="https://idp.example.com/artifact"/>
    <SingleLogoutService Binding="${BINDING}:HTTP-Redirect" Location="https://idp.example.com/slo" ResponseLocation="https://idp.example.com/slo-done"/>
    <SingleLogoutService Binding="${BINDING}:HTTP-POST" Location="https://idp.example.com/slo"/>
    <SingleLogoutService Binding="${BINDING}:HTTP-Artifact" Location="https://idp.example.com/slo-artifact"/>
    <SingleLogoutService Binding="${BINDING}:SOAP" Location="https://idp.example.com/slo-soap"/>
    <ManageNameIDService Binding="${BINDING}:SOAP" Location="https://idp.example.com/names"/>
    <NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</NameIDFormat>
    <SingleSignOnService Binding="${BINDING}:HTTP-Redirect" Location="https://idp.example.com/sso?tenant=1&amp;x=&quot;"/>
    <SingleSignOnService Binding="${BINDING}:HTTP-POST" Location="https://idp.example.com/sso"/>
  </IDPSSODescriptor>
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol">
    <KeyDescriptor>${x509(OWN.unmarked)}</KeyDescriptor>
    <SingleSignOnService Binding="urn:mace:shibboleth:1.0:profiles:AuthnRequest" Location="https://idp.example.com/saml1"/>
  </IDPSSODescriptor>
  <AttributeAuthorityDescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor use="encryption">${x509(OWN.encryption)}</KeyDescriptor>
    <AttributeService Binding="${BINDING}:SOAP" Location="https://idp.example.com/attributes"/>
  </AttributeAuthorityDescriptor>
  <Organization>
    <OrganizationName xml:lang="en">Example</OrganizationName>
    <OrganizationDisplayName xml:lang="en">Example</OrganizationDisplayName>
    <OrganizationURL xml:lang="en">https://example.com</OrganizationURL>
  </Organization>
  <ContactPerson contactType="technical"><EmailAddress>mailto:idp@example.com</EmailAddress></ContactPerson>
</EntityDescriptor>
`;
}
