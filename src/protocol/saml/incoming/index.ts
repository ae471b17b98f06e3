export { parseRedirectMessage } from './parse-redirect-message.js';
export { parsePostMessage } from './parse-post-message.js';
export { parseSoapMessage } from './parse-soap-message.js';
export { SoapFault, type SoapFaultCode } from './soap-fault.js';
