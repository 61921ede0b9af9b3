/**
 * 'faultline/explore': what a user's scenario module imports besides 'faultline/kernel'. The
 * explorer compiles the module together with the kernel; imported by anything else, operations run
 * alone.
 */
export * from './kit.ts';
export * from './operations.ts';
export { KILLED, REFUSED, access, read, readPolled, write } from './user.ts';
