/** Whether the process has been told to stop: then nobody should send it anything new. */
export class Readiness {
  stopping = false;
}
