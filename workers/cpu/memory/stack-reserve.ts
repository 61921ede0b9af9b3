/**
 * Makes sure of the stack before the kernel is entered. A program that recurses too deep gets its
 * RangeError from here, in user mode: inside the kernel it would leave locks taken and changes half
 * done.
 *
 * The engine compares the stack with a function's frame when the function is called, and throws if
 * the frame does not fit. So one call of a function with a frame of STACK_RESERVE_BYTES is enough.
 * V8 checks for the frame of the unoptimized function also when it has optimized it, because it may
 * have to go back to it; so the check is a comparison, 3 ns (docs/performance.md).
 */

/**
 * More than any way through the kernel and the Worker's runtime takes. Most of it is what V8 wants
 * to have left, 40 KiB, when it compiles a function that is called for the first time.
 */
export const STACK_RESERVE_BYTES = 65536;

/** A local variable takes one word of a V8 frame. */
const VARIABLES = STACK_RESERVE_BYTES / 8;
/**
 * Assignments that the optimizer removes. Without them the function would be inlined, and so not
 * be checked; and it would be optimized only after 100,000 calls, of 2 us each, instead of 2,000.
 */
const ASSIGNMENTS = 200;
/** Where no function can be made of text: a frame of `descend` takes at least so much. */
const FRAME_BYTES = 32;

/** The engine gives unused variables no place. These are used, in a branch that costs nothing. */
function wideFrame(): (value: number) => void {
  const names = Array.from({ length: VARIABLES }, (_, index) => `v${index}`);
  const assignments = names.slice(0, ASSIGNMENTS).map((name) => `${name} = value;`);
  const body = `var ${names.join()}; if (false) { ${names.join(';')} } ${assignments.join('')}`;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- 8192 variables
  return new Function('value', body) as (value: number) => void;
}

/** The same by recursion, 3 us: for pages whose security policy forbids code made of text. */
function descend(levels: number): number {
  return levels === 0 ? 0 : descend(levels - 1) + 1;
}

function makeReserve(): () => void {
  try {
    const frame = wideFrame();
    return () => frame(0);
  } catch {
    return () => void descend(STACK_RESERVE_BYTES / FRAME_BYTES);
  }
}

/** Throws a RangeError unless STACK_RESERVE_BYTES of the stack are left. */
export const reserveStack: () => void = makeReserve();
