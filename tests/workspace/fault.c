/* A disk that fails, for LD_PRELOAD: the Nth call that writes to a regular file, or makes or renames one, is refused.
 *
 * PUOMP_FAULT_AT     N, from 1; absent or 0: none fails
 * PUOMP_FAULT_FULL   set: ENOSPC, and from then on every call that needs space (a full disk); else EIO, once (a bad sector)
 * PUOMP_FAULT_LOG    file to which a line is added for each refused call
 *
 * Calls that go past the C library (raw system calls) are not seen. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static long at;
static int full;
static const char *report;
static atomic_long calls;

__attribute__((constructor)) static void begin(void) {
    const char *n = getenv("PUOMP_FAULT_AT");
    at = n ? atol(n) : 0;
    full = getenv("PUOMP_FAULT_FULL") != NULL;
    report = getenv("PUOMP_FAULT_LOG");
}

/* Whether this call fails. `grows`: it needs space. */
static int fails(const char *what, int grows) {
    if (at <= 0 || (full && !grows)) return 0;
    long now = atomic_fetch_add(&calls, 1) + 1;
    if (full ? now < at : now != at) return 0;
    int kept = errno;
    if (report) {
        int fd = syscall(SYS_openat, AT_FDCWD, report, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (fd >= 0) {
            syscall(SYS_write, fd, what, strlen(what));
            syscall(SYS_write, fd, "\n", 1);
            syscall(SYS_close, fd);
        }
    }
    errno = kept;
    return 1;
}

static int refuse(void) {
    errno = full ? ENOSPC : EIO;
    return -1;
}

/* What is written for people and pipes is no file of ours. */
static int is_file(int fd) {
    struct stat s;
    return fd > 2 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode);
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define WRITES(type, name, parameters, arguments)              \
    type name parameters {                                     \
        REAL(name);                                            \
        return is_file(fd) && fails(#name, 1) ? refuse() : real arguments; \
    }
WRITES(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n))
WRITES(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
WRITES(ssize_t, pwrite, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o))
WRITES(ssize_t, pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o))
WRITES(ssize_t, sendfile, (int fd, int in, off_t *o, size_t n), (fd, in, o, n))
WRITES(ssize_t, sendfile64, (int fd, int in, off64_t *o, size_t n), (fd, in, o, n))
WRITES(int, fallocate, (int fd, int m, off_t o, off_t n), (fd, m, o, n))
WRITES(int, fallocate64, (int fd, int m, off64_t o, off64_t n), (fd, m, o, n))

ssize_t copy_file_range(int in, off64_t *i, int fd, off64_t *o, size_t n, unsigned f) {
    REAL(copy_file_range);
    return is_file(fd) && fails("copy_file_range", 1) ? refuse() : real(in, i, fd, o, n, f);
}

static int grows(int fd, off64_t size) {
    struct stat s;
    return fstat(fd, &s) == 0 && size > s.st_size;
}
int ftruncate(int fd, off_t n) {
    REAL(ftruncate);
    return is_file(fd) && fails("ftruncate", grows(fd, n)) ? refuse() : real(fd, n);
}
int ftruncate64(int fd, off64_t n) {
    REAL(ftruncate64);
    return is_file(fd) && fails("ftruncate", grows(fd, n)) ? refuse() : real(fd, n);
}

#define SYNCS(name)                                            \
    int name(int fd) {                                         \
        REAL(name);                                            \
        return fails(#name, 0) ? refuse() : real(fd);          \
    }
SYNCS(fsync)
SYNCS(fdatasync)

int rename(const char *from, const char *to) {
    REAL(rename);
    return fails("rename", 0) ? refuse() : real(from, to);
}
int renameat(int a, const char *from, int b, const char *to) {
    REAL(renameat);
    return fails("renameat", 0) ? refuse() : real(a, from, b, to);
}
int renameat2(int a, const char *from, int b, const char *to, unsigned f) {
    REAL(renameat2);
    return fails("renameat", 0) ? refuse() : real(a, from, b, to, f);
}
int link(const char *from, const char *to) {
    REAL(link);
    return fails("link", 1) ? refuse() : real(from, to);
}
int linkat(int a, const char *from, int b, const char *to, int f) {
    REAL(linkat);
    return fails("linkat", 1) ? refuse() : real(a, from, b, to, f);
}
int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    return fails("mkdir", access(path, F_OK) != 0) ? refuse() : real(path, mode);
}

/* Opening fails only where a file is made. */
#define OPENS(name)                                            \
    int name(const char *path, int flags, ...) {               \
        REAL(name);                                            \
        mode_t mode = 0;                                       \
        int makes = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE; \
        if (makes) {                                           \
            va_list rest;                                      \
            va_start(rest, flags);                             \
            mode = va_arg(rest, mode_t);                       \
            va_end(rest);                                      \
            if (fails("open", access(path, F_OK) != 0)) return refuse(); \
        }                                                      \
        return real(path, flags, mode);                        \
    }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name)                                         \
    int name(int folder, const char *path, int flags, ...) {   \
        REAL(name);                                            \
        mode_t mode = 0;                                       \
        int makes = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE; \
        if (makes) {                                           \
            va_list rest;                                      \
            va_start(rest, flags);                             \
            mode = va_arg(rest, mode_t);                       \
            va_end(rest);                                      \
            if (fails("open", faccessat(folder, path, F_OK, 0) != 0)) return refuse(); \
        }                                                      \
        return real(folder, path, flags, mode);                \
    }
OPENS_AT(openat)
OPENS_AT(openat64)
