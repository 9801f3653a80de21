/*
 * Stands between a program and the system, and makes calls on the files of one database fail.
 *
 * FAULTS_DATABASE  the path of the database; its log and the other files beside it belong to it
 * FAULTS_CONTROL   a file with one fault per line, "CALLS ERROR END": which calls (open, read, write,
 *                  sync, truncate), what they fail with (a number of errno.h; 0 makes a write come to
 *                  half of what it was given), and how the paths end for which that holds ("*" for all).
 *                  No file: no faults.
 * FAULTS_HITS      a file that gets a line for each call that was made to fail: "CALLS PATH"
 * FAULTS_TRACE     a file that gets every change of the database and its log, and of FAULTS_WITNESS, in
 *                  the order in which they took place: see trace.rs
 * FAULTS_WITNESS   the path of a file that is noted in the trace as well
 *
 * Calls of the shim itself go to the system directly.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

static long raw_open(const char *path, int flags) {
    return syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0644);
}

static void append(const char *to, const void *bytes, size_t length) {
    long file = raw_open(to, O_WRONLY | O_CREAT | O_APPEND);
    if (file < 0) return;
    syscall(SYS_write, file, bytes, length);
    syscall(SYS_close, file);
}

static int begins_with_database(const char *path) {
    const char *database = getenv("FAULTS_DATABASE");
    return database != NULL && strncmp(path, database, strlen(database)) == 0;
}

/* The path to which a descriptor leads, as far as it is of interest. */
static int path_of(int descriptor, char *path, size_t size) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, size - 1);
    if (length < 0) return 0;
    path[length] = 0;
    const char *witness = getenv("FAULTS_WITNESS");
    return begins_with_database(path) || (witness != NULL && strcmp(path, witness) == 0);
}

static int ends_with(const char *text, const char *end) {
    size_t length = strlen(text), of_end = strlen(end);
    return strcmp(end, "*") == 0
        || (length >= of_end && strcmp(text + length - of_end, end) == 0);
}

/* What `calls` on `path` fail with; -1 if they do not. */
static int fault_for(const char *calls, const char *path) {
    const char *control = getenv("FAULTS_CONTROL");
    if (control == NULL || !begins_with_database(path)) return -1;
    long file = raw_open(control, O_RDONLY);
    if (file < 0) return -1;
    char text[1024];
    long length = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    if (length <= 0) return -1;
    text[length] = 0;
    char *rest = text, *line;
    while ((line = strsep(&rest, "\n")) != NULL) {
        char of[16], end[64];
        int error;
        if (sscanf(line, "%15s %d %63s", of, &error, end) != 3) continue;
        if (strcmp(of, calls) != 0 || !ends_with(path, end)) continue;
        char hit[4200];
        int hit_length = snprintf(hit, sizeof hit, "%s %s\n", calls, path);
        const char *hits = getenv("FAULTS_HITS");
        if (hits != NULL) append(hits, hit, hit_length);
        return error;
    }
    return -1;
}

/* One record of the trace. Written while `order` is held. */
static void note(char what, const char *path, uint64_t offset, const void *data, uint32_t length) {
    const char *trace = getenv("FAULTS_TRACE");
    const char *witness = getenv("FAULTS_WITNESS");
    if (trace == NULL) return;
    char file;
    if (witness != NULL && strcmp(path, witness) == 0) file = 'a';
    else if (ends_with(path, "-wal")) file = 'w';
    else if (strcmp(path, getenv("FAULTS_DATABASE")) == 0) file = 'd';
    else return;
    char *record = malloc(14 + length);
    if (record == NULL) abort();
    record[0] = what;
    record[1] = file;
    memcpy(record + 2, &offset, 8);
    memcpy(record + 10, &length, 4);
    if (length > 0) memcpy(record + 14, data, length);
    append(trace, record, 14 + length);
    free(record);
}

static ssize_t write_at(int descriptor, const void *data, size_t length, int has_offset, off_t offset) {
    char path[4096];
    if (!path_of(descriptor, path, sizeof path))
        return has_offset ? syscall(SYS_pwrite64, descriptor, data, length, offset)
                          : syscall(SYS_write, descriptor, data, length);
    int error = fault_for("write", path);
    if (error > 0) {
        errno = error;
        return -1;
    }
    if (error == 0 && length > 1) length /= 2;
    pthread_mutex_lock(&order);
    ssize_t written = has_offset ? syscall(SYS_pwrite64, descriptor, data, length, offset)
                                 : syscall(SYS_write, descriptor, data, length);
    int problem = errno;
    if (written > 0) {
        if (!has_offset) offset = syscall(SYS_lseek, descriptor, 0, SEEK_CUR) - written;
        note('W', path, offset, data, written);
    }
    pthread_mutex_unlock(&order);
    errno = problem;
    return written;
}

ssize_t write(int descriptor, const void *data, size_t length) {
    return write_at(descriptor, data, length, 0, 0);
}

ssize_t pwrite(int descriptor, const void *data, size_t length, off_t offset) {
    return write_at(descriptor, data, length, 1, offset);
}

ssize_t pwrite64(int descriptor, const void *data, size_t length, off_t offset) {
    return write_at(descriptor, data, length, 1, offset);
}

static int reading_fails(int descriptor) {
    char path[4096];
    if (!path_of(descriptor, path, sizeof path)) return 0;
    int error = fault_for("read", path);
    if (error <= 0) return 0;
    errno = error;
    return 1;
}

ssize_t read(int descriptor, void *data, size_t length) {
    if (reading_fails(descriptor)) return -1;
    return syscall(SYS_read, descriptor, data, length);
}

ssize_t pread(int descriptor, void *data, size_t length, off_t offset) {
    if (reading_fails(descriptor)) return -1;
    return syscall(SYS_pread64, descriptor, data, length, offset);
}

ssize_t pread64(int descriptor, void *data, size_t length, off_t offset) {
    return pread(descriptor, data, length, offset);
}

static int sync_with(long call, int descriptor) {
    char path[4096];
    if (!path_of(descriptor, path, sizeof path)) return syscall(call, descriptor);
    int error = fault_for("sync", path);
    pthread_mutex_lock(&order);
    int result = -1;
    if (error > 0) {
        note('F', path, 0, NULL, 0);
    } else {
        /* Of the trace only what it says counts, so that a bad disk is no slower than it has to be. */
        result = getenv("FAULTS_TRACE") != NULL ? 0 : syscall(call, descriptor);
        error = errno;
        if (result == 0) note('S', path, 0, NULL, 0);
    }
    pthread_mutex_unlock(&order);
    errno = error;
    return result;
}

int fsync(int descriptor) { return sync_with(SYS_fsync, descriptor); }

int fdatasync(int descriptor) { return sync_with(SYS_fdatasync, descriptor); }

static int truncate_to(int descriptor, off_t length) {
    char path[4096];
    if (!path_of(descriptor, path, sizeof path)) return syscall(SYS_ftruncate, descriptor, length);
    int error = fault_for("truncate", path);
    if (error > 0) {
        errno = error;
        return -1;
    }
    pthread_mutex_lock(&order);
    int result = syscall(SYS_ftruncate, descriptor, length);
    error = errno;
    if (result == 0) note('T', path, length, NULL, 0);
    pthread_mutex_unlock(&order);
    errno = error;
    return result;
}

int ftruncate(int descriptor, off_t length) { return truncate_to(descriptor, length); }

int ftruncate64(int descriptor, off_t length) { return truncate_to(descriptor, length); }

int unlink(const char *path) {
    pthread_mutex_lock(&order);
    int result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    int error = errno;
    /* Nothing is left of it, as if it had been emptied. */
    if (result == 0 && begins_with_database(path)) note('T', path, 0, NULL, 0);
    pthread_mutex_unlock(&order);
    errno = error;
    return result;
}

static int open_with(const char *path, int flags, mode_t mode) {
    /* A fault of opening is one of opening for changes: permissions, a file system that became read-only. */
    if ((flags & O_ACCMODE) != O_RDONLY) {
        int error = fault_for("open", path);
        if (error > 0) {
            errno = error;
            return -1;
        }
    }
    return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static mode_t mode_of(int flags, va_list arguments) {
    return (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_with(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_with(path, flags | O_LARGEFILE, mode);
}
