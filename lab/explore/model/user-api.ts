/** 'faultline/explore': what a user's scenario module imports besides 'faultline/kernel'. */
export * from './kit.ts';
export * from './operations.ts';
export { KILLED, REFUSED, access, read, readPolled, write } from './user.ts';
