/** Every limit of the machine, one line each. Loops and queues are bounded by these. */

/** Bytes in a page and in a frame. */
export const PAGE_SIZE = 4096;
/** Entries of a table, and 32-bit words of a frame. */
export const TABLE_ENTRIES = 1024;
export const TABLE_SHIFT = 10;
export const TABLE_LEVELS = 3;
/** Pages of a 4 MiB span: what one entry a level up stands for. */
export const SPAN_PAGES = 1024;

/** User addresses are [0, 2^42): 4 TiB, so that a VPN has 30 bits. */
export const USER_SPACE_END: number = 2 ** 42;
export const USER_PAGES: number = 2 ** 30;
/** Pages of what ARCH_MAP_VDSO_64 maps (Linux 6.18: VDSO_NR_PAGES and the image's size). */
export const VVAR_PAGES = 4;
export const VVAR_VCLOCK_PAGES = 2;
export const VDSO_PAGES = 2;
/** Lowest address that mmap gives or accepts: a null dereference faults (Linux: mmap_min_addr). */
export const MMAP_MIN_ADDR = 65536;
/** mmap without a hint searches downward from here; the gap above is the stack's. */
export const MMAP_TOP: number = USER_SPACE_END - 2 ** 30;

/** Smallest and largest simulated memory, in frames: 1 MiB and 4 GiB. */
export const FRAMES_MIN = 256;
export const FRAMES_MAX: number = 2 ** 20;

/** CPUs of a machine, kernel worker and dedicated Workers included. */
export const CPUS_MAX = 64;
/** CPUs kept beyond the pool for `spawn({ dedicated: true })`. */
export const DEDICATED_CPUS_MAX = 8;

/** Live processes, zombies included (Linux's pid_max idea). */
export const PROCESSES_MAX = 8192;
/** Ended processes that a machine remembers: their reports in stats() and how they ended. */
export const ENDED_KEPT = 1000;
/** Open files of one process. */
export const FDS_MAX = 64;
/** Largest file (Linux: s_maxbytes): 2^30 pages, what an offset in a page table can name. */
export const FILE_BYTES_MAX: number = 2 ** 42;
/** Most bytes of one read or write (Linux: MAX_RW_COUNT). */
export const TRANSFER_BYTES_MAX = 0x7ffff000;
/** Ranges of a list (Linux: UIO_MAXIOV), bytes of one process_vm_readv, pages of one pin. */
export const IO_VECTORS_MAX = 1024;
export const PROCESS_VM_BYTES_MAX: number = 2 ** 18;
export const PIN_PAGES_MAX = 120;
/** Bytes of a path's name. */
export const PATH_BYTES_MAX = 4095;
/** Bytes of a memfd's name (Linux: NAME_MAX less the prefix "memfd:"). */
export const MEMFD_NAME_BYTES_MAX = 249;
/** Areas of one address space, unless the machine says otherwise (Linux: vm.max_map_count). */
export const AREAS_MAX = 65530;
/** Numbers of areas' names: nine bits of an area's flags. */
export const AREA_NAME_SLOTS = 512;
/** Different names of anonymous memory at a time: four numbers mean none, or the kernel's own. */
export const AREA_NAMES_MAX: number = AREA_NAME_SLOTS - 4;
/** Bytes of such a name with the zero that ends it (Linux: ANON_VMA_NAME_MAX_LEN). */
export const AREA_NAME_BYTES_MAX = 80;
/** Unmapped pages that a growing area keeps below itself (Linux: stack_guard_gap). */
export const STACK_GUARD_PAGES = 256;
/** Where a heap starts unless PR_SET_MM moves it. Linux puts it after the program's data. */
export const HEAP_START: number = 2 ** 28;
/** RLIMIT_STACK's soft limit and both limits of RLIMIT_MEMLOCK at boot, in bytes (Linux: 8 MiB). */
export const STACK_LIMIT: number = 2 ** 23;
export const MEMLOCK_LIMIT: number = 2 ** 23;
/** What MAP_32BIT searches (Linux x86-64: 1 GiB below 2^31). */
export const LOW_MMAP_START: number = 2 ** 30;
export const LOW_MMAP_END: number = 2 ** 31;
/** Mapping records of a machine: 1024 directory words of 128 records. */
export const RECORDS_MAX = 131072;

/** Pages in one reply of `pagemap`. */
export const PAGEMAP_PAGES_MAX: number = 2 ** 20;

/** Most pages of a swap store: as many as a reserved entry can name. */
export const SWAP_SLOTS_MAX: number = 2 ** 22 - 1;

/** The low watermark of reclaim: a share of all frames, between two bounds. */
export const RECLAIM_LOW_SHARE = 32;
export const RECLAIM_LOW_MIN = 16;
export const RECLAIM_LOW_MAX = 1024;
/** Resident pages that reclaim looks at in one pass, and takes out under one lock. */
export const RECLAIM_SCAN_PAGES = 16384;
export const RECLAIM_BATCH_PAGES = 256;
/** Rounds over all resident pages that free no frame before memory counts as exhausted. */
export const RECLAIM_ROUNDS_MAX = 3;

/** Memory groups of a machine. */
export const MEMORY_GROUPS_MAX = 32;

/** Buddy orders 0 to 10: blocks of 4 KiB to 4 MiB. */
export const BUDDY_ORDERS = 11;
/** Frames that a CPU keeps for itself, and how many it fetches or returns at once. */
export const CPU_CACHE_FRAMES = 64;
export const CPU_CACHE_BATCH = 32;

/** Recent shootdowns an address space remembers; a CPU further behind flushes everything. */
export const TLB_RING = 16;
/** Pages beyond which a CPU flushes its whole TLB (asterinas: FLUSH_ALL_PAGES_THRESHOLD). */
export const TLB_FLUSH_ALL_PAGES = 32;

/**
 * Where epochs, TLB generations and space ids begin. They wrap at 2^31; the explore build begins
 * just before that.
 */
export const FIRST_GENERATION = 0;

/** Iterations of a spin loop before a waiter sleeps. */
export const SPIN_TURNS = 400;
/** One sleep of a waiter, after which it looks again in case a peer died. */
export const WAIT_SLICE_MS = 20;
/** Most iterations a CPU spins for a trap's reply: about as long as a polling kernel takes. */
export const TRAP_SPIN_TURNS = 2000;
/**
 * Most iterations without a request before the kernel worker stops polling. Polling pays only when
 * it outlasts the wake-up of the CPU that was just answered, 60 us and more.
 */
export const TRAP_POLL_TURNS = 4000;
/**
 * Pages (or untouched spans) that a syscall faults in before it gives way: one to four milliseconds
 * of work.
 */
export const USER_BATCH = 2048;
/** Pages of a range that a syscall changes before it gives way: at most, each has a frame. */
export const RANGE_BATCH_PAGES = 65536;
/** Bytes that one stay in the kernel reads or writes. The rest is asked for in a later turn. */
export const TRANSFER_BATCH_BYTES: number = 2 ** 23;
/** Longest stretch of polling before the kernel worker looks at its messages again. */
export const TRAP_POLL_MS = 2;
/** A CPU in user mode that does not acknowledge a shootdown for this long is declared stuck. */
export const SHOOTDOWN_WATCHDOG_MS = 10_000;
/** How long a process that was killed, or has ended, may keep its Worker before that is ended. */
export const RUNAWAY_MS = 500;
/** Attempts of a fault before the machine is declared livelocked. */
export const FAULT_RETRIES_MAX = 100_000;

/** Nice values of processes, from most to least urgent. */
export const NICE_MIN = -20;
export const NICE_MAX = 19;
/** Largest stack of a thread: 1 GiB. */
export const STACK_BYTES_MAX: number = 2 ** 30;
/** Queues that futex waiters are hashed to (Linux: 256 for each CPU). A power of two. */
export const FUTEX_BUCKETS = 256;

/** Entries of the kernel log ring. */
export const DMESG_ENTRIES = 1024;
/** Buckets of a latency histogram: 8 per power of two of nanoseconds. */
export const HISTOGRAM_BUCKETS = 320;
/** Latency histograms: one a syscall. */
export const HISTOGRAMS_MAX = 64;
/** Bytes of a process name kept in the machine. */
export const PROCESS_NAME_BYTES = 64;

/** Accesses of a program between two ordered polls for shootdowns and signals. */
export const POLL_ACCESSES = 4096;
