/** How far the learner has come, kept in this browser only. */
const KEY = 'faultline-lessons';

type Progress = Readonly<Record<string, number>>;

function read(): Progress {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return typeof value === 'object' && value !== null ? (value as Progress) : {};
  } catch {
    return {};
  }
}

/** Steps of a lesson that were done. */
export function stepsDone(lesson: string): number {
  const done = Object.hasOwn(read(), lesson) ? read()[lesson] : 0;
  return typeof done === 'number' ? done : 0;
}

export function keepProgress(lesson: string, steps: number): void {
  const done = Math.max(steps, stepsDone(lesson));
  localStorage.setItem(KEY, JSON.stringify({ ...read(), [lesson]: done }));
}
