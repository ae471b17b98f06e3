export { SamlSoapChannel } from './saml-soap-channel.js';
export type { SamlSoapEgress, SamlSoapSettings } from './ports.js';
