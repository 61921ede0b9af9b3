/** A vitest reporter that ends the run with one plain line: "N passed, N failed, N skipped". */

/** @import { Reporter, TestModule } from 'vitest/node' */

/** @implements {Reporter} */
export default class ClosingLineReporter {
  /**
   * @param {ReadonlyArray<TestModule>} testModules
   * @param {ReadonlyArray<unknown>} unhandledErrors
   */
  onTestRunEnd(testModules, unhandledErrors) {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 };
    for (const module of testModules) {
      for (const test of module.children.allTests()) count[test.result().state]++;
      // A file that does not load, or a hook that throws, fails no test of its own: count it.
      if (module.state() === 'failed' && module.errors().length > 0) count.failed++;
      for (const suite of module.children.allSuites()) {
        if (suite.errors().length > 0) count.failed++;
      }
    }
    // A test that never finished (its process died) must not vanish from the sum.
    const failed = count.failed + count.pending;
    process.stdout.write(`${count.passed} passed, ${failed} failed, ${count.skipped} skipped\n`);
  }
}
