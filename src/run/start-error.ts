// Alone in its file: a command that needs no server must not load the libraries of all of them to name its errors.

/** A state of the outside that stops a start; its message is one sentence with what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
