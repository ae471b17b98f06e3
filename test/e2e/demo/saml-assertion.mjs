import { escapeXml, newXmlId, signElement } from './saml-xml.mjs';

const GOOD_FOR_MS = 120_000;
const EARLY_MS = 30_000;

/**
 * The answer to an AuthnRequest: a response with one signed assertion.
 * @param {{ idp: { entityId: string, privateKey: string, certificate: string }, sp: { entityId: string, acsUrl: string }, inResponseTo: string,
 *   nameId: { value: string, format: string, nameQualifier: string, spNameQualifier: string }, sessionIndex: string, user: string }} login
 */
export function buildSamlResponse({ idp, sp, inResponseTo, nameId, sessionIndex, user }) {
  const now = Date.now();
  const at = (time) => new Date(time).toISOString();
  const [responseId, assertionId] = [newXmlId(), newXmlId()];
  const issuer = `<saml:Issuer>${escapeXml(idp.entityId)}</saml:Issuer>`;
  const response = `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="${responseId}" Version="2.0" IssueInstant="${at(now)}"
  Destination="${escapeXml(sp.acsUrl)}" InResponseTo="${escapeXml(inResponseTo)}">
  <saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${escapeXml(idp.entityId)}</saml:Issuer>
  <samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>
  <saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${assertionId}" Version="2.0" IssueInstant="${at(now)}">
    ${issuer}
    <saml:Subject>
      <saml:NameID Format="${escapeXml(nameId.format)}" NameQualifier="${escapeXml(nameId.nameQualifier)}" SPNameQualifier="${escapeXml(nameId.spNameQualifier)}">${escapeXml(nameId.value)}</saml:NameID>
      <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
        <saml:SubjectConfirmationData InResponseTo="${escapeXml(inResponseTo)}" Recipient="${escapeXml(sp.acsUrl)}" NotOnOrAfter="${at(now + GOOD_FOR_MS)}"/>
      </saml:SubjectConfirmation>
    </saml:Subject>
    <saml:Conditions NotBefore="${at(now - EARLY_MS)}" NotOnOrAfter="${at(now + GOOD_FOR_MS)}">
      <saml:AudienceRestriction><saml:Audience>${escapeXml(sp.entityId)}</saml:Audience></saml:AudienceRestriction>
    </saml:Conditions>
    <saml:AuthnStatement AuthnInstant="${at(now)}" SessionIndex="${escapeXml(sessionIndex)}">
      <saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext>
    </saml:AuthnStatement>
    <saml:AttributeStatement>
      <saml:Attribute Name="uid"><saml:AttributeValue>${escapeXml(user)}</saml:AttributeValue></saml:Attribute>
    </saml:AttributeStatement>
  </saml:Assertion>
</samlp:Response>`;
  return signElement(response, assertionId, idp);
}
