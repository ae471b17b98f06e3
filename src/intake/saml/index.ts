export { SamlIntakeModule } from './saml-intake.module.js';
export { AnswerInitiator } from './answer-initiator.js';
