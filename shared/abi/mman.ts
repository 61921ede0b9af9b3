/** Protection and mapping flags with the values of Linux x86-64 (sys/mman.h). */
export const PROT_NONE = 0x0;
/** May be read. */
export const PROT_READ = 0x1;
/** May be written; on this machine that includes reading, as on x86-64. */
export const PROT_WRITE = 0x2;
/** May be executed: kept and shown, but nothing here executes. */
export const PROT_EXEC = 0x4;
/** Accepted and ignored, as on x86-64. */
export const PROT_SEM = 0x8;
/** mprotect: down to the start of an area that grows down. */
export const PROT_GROWSDOWN = 0x01000000;
/** mprotect: EINVAL, because no area grows up here. */
export const PROT_GROWSUP = 0x02000000;

/** Writes are seen by all who map the object. */
export const MAP_SHARED = 0x01;
/** Writes are this process's own: pages are copied. */
export const MAP_PRIVATE = 0x02;
/** MAP_SHARED that refuses unknown flags: EOPNOTSUPP. */
export const MAP_SHARED_VALIDATE = 0x03;
/** Anonymous memory that the kernel may drop (Linux 6.11). */
export const MAP_DROPPABLE = 0x08;
/** The bits that hold the type of a mapping. */
export const MAP_TYPE = 0x0f;
/** Exactly at the address; what is mapped there is unmapped. */
export const MAP_FIXED = 0x10;
/** Zeroes, not a file. */
export const MAP_ANONYMOUS = 0x20;
/** Below 2 GiB. */
export const MAP_32BIT = 0x40;
/** Above 4 GiB. */
export const MAP_ABOVE4G = 0x80;
/** Grows down when the page below is touched, as a stack does. */
export const MAP_GROWSDOWN = 0x0100;
/** Ignored, as on Linux. */
export const MAP_DENYWRITE = 0x0800;
/** Ignored, as on Linux. */
export const MAP_EXECUTABLE = 0x1000;
/** As mlock after the mapping. */
export const MAP_LOCKED = 0x2000;
/** Kept and shown; there is no overcommit limit. */
export const MAP_NORESERVE = 0x4000;
/** Faults all pages in at once. */
export const MAP_POPULATE = 0x8000;
/** With MAP_POPULATE: does not, as on Linux. */
export const MAP_NONBLOCK = 0x10000;
/** Shown, without effect. */
export const MAP_STACK = 0x20000;
/** Huge pages of their own pool: refused. */
export const MAP_HUGETLB = 0x40000;
/** For persistent memory: without effect, but it keeps areas apart. */
export const MAP_SYNC = 0x80000;
/** Exactly at the address; EEXIST if something is mapped there. */
export const MAP_FIXED_NOREPLACE = 0x100000;
/** With MAP_HUGETLB: the logarithm of the page size, in the six high bits. */
export const MAP_HUGE_2MB: number = 21 << 26;
/** Pages of 1 GiB. */
export const MAP_HUGE_1GB: number = 30 << 26;
/** The six bits. */
export const MAP_HUGE_MASK: number = 0x3f << 26;

/** open(2) flags (asm-generic/fcntl.h). */
export const O_RDONLY = 0;
/** Open for writing. */
export const O_WRONLY = 1;
/** Open for reading and writing: what a shared writable mapping needs. */
export const O_RDWR = 2;
/** The bits that hold the way of access. */
export const O_ACCMODE = 3;
/** Makes the file if it does not exist. */
export const O_CREAT = 0o100;
/** With O_CREAT: EEXIST if it exists. */
export const O_EXCL = 0o200;
/** Cuts the file to no bytes. */
export const O_TRUNC = 0o1000;
/** Every write goes to the end. */
export const O_APPEND = 0o2000;
/** Accepted and kept. */
export const O_CLOEXEC = 0o2000000;
/** A descriptor that can neither be read nor mapped. */
export const O_PATH = 0o10000000;

/** lseek(2). */
export const SEEK_SET = 0;
/** From the position. */
export const SEEK_CUR = 1;
/** From the end of the file. */
export const SEEK_END = 2;
/** To the next data at or after the offset. */
export const SEEK_DATA = 3;
/** To the next hole at or after the offset. */
export const SEEK_HOLE = 4;

/** The mapping may move if it cannot grow in place. */
export const MREMAP_MAYMOVE = 1;
/** Moves to the address given; what is mapped there is unmapped. */
export const MREMAP_FIXED = 2;
/** The old range stays mapped, empty. */
export const MREMAP_DONTUNMAP = 4;

/** No advice. */
export const MADV_NORMAL = 0;
/** Expect accesses in no order. */
export const MADV_RANDOM = 1;
/** Expect accesses in order. */
export const MADV_SEQUENTIAL = 2;
/** Read in ahead. */
export const MADV_WILLNEED = 3;
/** Drop the pages: private ones are zero, or the file's, at the next touch. */
export const MADV_DONTNEED = 4;
/** Pages may be dropped until they are written again. */
export const MADV_FREE = 8;
/** Punch a hole in the object. */
export const MADV_REMOVE = 9;
/** Children do not get the area. */
export const MADV_DONTFORK = 10;
/** Undoes MADV_DONTFORK. */
export const MADV_DOFORK = 11;
/** Pages with equal contents may become one. */
export const MADV_MERGEABLE = 12;
/** Undoes MADV_MERGEABLE. */
export const MADV_UNMERGEABLE = 13;
/** Use huge pages. */
export const MADV_HUGEPAGE = 14;
/** Use no huge pages. */
export const MADV_NOHUGEPAGE = 15;
/** Leave out of core dumps. */
export const MADV_DONTDUMP = 16;
/** Undoes MADV_DONTDUMP. */
export const MADV_DODUMP = 17;
/** Children get zeroes. */
export const MADV_WIPEONFORK = 18;
/** Undoes MADV_WIPEONFORK. */
export const MADV_KEEPONFORK = 19;
/** Reclaim these pages first. */
export const MADV_COLD = 20;
/** Reclaim these pages now. */
export const MADV_PAGEOUT = 21;
/** Fault all pages in for reading. */
export const MADV_POPULATE_READ = 22;
/** Fault all pages in for writing. */
export const MADV_POPULATE_WRITE = 23;
/** MADV_DONTNEED that does not stop at locked pages. */
export const MADV_DONTNEED_LOCKED = 24;
/** Make huge pages now. */
export const MADV_COLLAPSE = 25;
/** Treat the pages as broken. */
export const MADV_HWPOISON = 100;
/** Take the frames out of use. */
export const MADV_SOFT_OFFLINE = 101;
/** Every access is SIGSEGV, without an area of its own. */
export const MADV_GUARD_INSTALL = 102;
/** Undoes MADV_GUARD_INSTALL. */
export const MADV_GUARD_REMOVE = 103;

/** Do not wait. */
export const MS_ASYNC = 1;
/** EBUSY for locked pages. */
export const MS_INVALIDATE = 2;
/** Wait until the host has the pages. */
export const MS_SYNC = 4;

/** What is mapped now. */
export const MCL_CURRENT = 1;
/** What is mapped from now on. */
export const MCL_FUTURE = 2;
/** Lock pages when they are touched. */
export const MCL_ONFAULT = 4;
/** Lock pages when they are touched. */
export const MLOCK_ONFAULT = 1;

/** memfd_create(2). */
export const MFD_CLOEXEC = 1;
/** The file can be sealed. */
export const MFD_ALLOW_SEALING = 2;
/** Not executable, and sealed so. */
export const MFD_NOEXEC_SEAL = 8;
/** Executable. */
export const MFD_EXEC = 0x10;

/** fcntl(2). */
export const F_GETFD = 1;
/** Sets the flags of a descriptor. */
export const F_SETFD = 2;
/** The flag of a descriptor that is closed by exec. */
export const FD_CLOEXEC = 1;
/** Seals a file that allows it, forever. */
export const F_ADD_SEALS = 1033;
/** The seals of a file. */
export const F_GET_SEALS = 1034;
/** No more seals. */
export const F_SEAL_SEAL = 1;
/** It cannot get shorter. */
export const F_SEAL_SHRINK = 2;
/** It cannot get longer. */
export const F_SEAL_GROW = 4;
/** It cannot be written. */
export const F_SEAL_WRITE = 8;
/** It can be written through the writable mappings there are, and no others. */
export const F_SEAL_FUTURE_WRITE = 0x10;
/** Its mode's execute bits stay. */
export const F_SEAL_EXEC = 0x20;

/** fallocate(2). */
export const FALLOC_FL_KEEP_SIZE = 1;
/** Makes a hole; with FALLOC_FL_KEEP_SIZE. */
export const FALLOC_FL_PUNCH_HOLE = 2;
/** Takes a range out: not on this file system. */
export const FALLOC_FL_COLLAPSE_RANGE = 8;
/** Zeroes a range: not on this file system. */
export const FALLOC_FL_ZERO_RANGE = 0x10;
/** Puts a range in: not on this file system. */
export const FALLOC_FL_INSERT_RANGE = 0x20;
/** Unshares blocks: not on this file system. */
export const FALLOC_FL_UNSHARE_RANGE = 0x40;
/** Zeroes that are written at once (Linux 6.17 on); never carried out here. */
export const FALLOC_FL_WRITE_ZEROES = 0x80;

/** getrlimit(2): the limits that this machine has (asm-generic/resource.h). */
export const RLIMIT_DATA = 2;
/** Bytes that a stack may grow to. */
export const RLIMIT_STACK = 3;
/** Bytes that may be locked. */
export const RLIMIT_MEMLOCK = 8;
/** Bytes of the address space. */
export const RLIMIT_AS = 9;

/** getpriority(2), setpriority(2). */
export const PRIO_PROCESS = 0;
/** No limit: as a number. In memory it is 2^64 - 1. */
export const RLIM_INFINITY: number = Infinity;
