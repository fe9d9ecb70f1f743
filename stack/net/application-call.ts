import { AsyncLocalStorage } from "node:async_hooks";

/** Calls in the asynchronous context (AsyncLocalStorage) of who made it, as node:net does with what follows from a call. */
export type ApplicationContext = (call: () => void) => void;

export function currentContext(): ApplicationContext {
  return AsyncLocalStorage.snapshot();
}

/**
 * Calls what is the application's. What it throws is for the process to hear of (`uncaughtException`), and must not come out of the stack in the middle of what it
 * tells: of other connections, of the end that follows the data. With node:net, too, each of these calls stands for itself.
 */
export function callApplication(context: ApplicationContext, call: () => void): void {
  try {
    context(call);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
