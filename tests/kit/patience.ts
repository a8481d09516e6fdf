// How long a test waits for what must happen on real sockets, in real time: generous, for a busy machine is no failure.
// The configuration has the same limit for `expect.poll`; what does not read it is handed this.
export const PATIENCE = { timeout: 30_000 }
