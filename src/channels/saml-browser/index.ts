export { SamlBrowserChannel, samlBrowserChannels } from './saml-browser-channel.js';
