/** The session stands in a way in which nothing it says can be read rightly. */
export class UnusableSession extends Error {
  readonly code: string;

  constructor(what: string) {
    super(what);
    // What `lostFailure` puts into its message.
    this.code = what;
  }
}

/** The server said something that is not the protocol, so nothing after it can be trusted: the session ends. */
export class ProtocolViolation extends UnusableSession {
  constructor(what: string) {
    super(`the server broke the protocol (${what})`);
  }
}

/** A DataRow whose columns do not fill it exactly, or that has another number of columns than was described. */
export class MalformedRow extends ProtocolViolation {
  constructor() {
    super("a row does not have the columns it was described with");
  }
}
