/**
 * Calls what is the application's. What it throws is for the process to hear of (`uncaughtException`), and must not come out of the stack in the middle of what it
 * tells: of other connections, of the end that follows the data. With node:net, too, each of these calls stands for itself.
 */
export function callApplication(call: () => void): void {
  try {
    call();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
