/**
 * What makes dist/ current before the first test that runs it, and in watch mode before each rerun:
 * a test must never pass on the build of an earlier source. It takes 0.2 s when nothing changed.
 */
import type { TestProject } from 'vitest/node';
import { build } from '../../build.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether dist/ is what the sources say. */
    isBuilt: boolean;
  }
}

export default async function freshBuild(project: TestProject): Promise<void> {
  const bringUpToDate = async (): Promise<void> => {
    project.provide('isBuilt', await build({ types: false }));
  };
  await bringUpToDate();
  project.onTestsRerun((files) =>
    files.some((file) => file.project === project) ? bringUpToDate() : undefined,
  );
}
