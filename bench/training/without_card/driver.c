/* A CUDA driver that computes nothing, for machines without a card: memory comes from the host, launches return at once, and every
 * float that is read back is 2. With it the whole training runs, kernels are compiled by the real NVRTC, and what is left over is
 * what the host alone costs. run.sh builds and uses it.
 *
 * DRIVER_GRIDS=FILE: a line for each launch, with the kernel's name, its blocks and the threads of a block; behind those of a sum
 * the first words of what CubeCL tells it of its tensors, which longest_sums.py reads: shape of input and output, strides of both. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef int Result;
typedef uint64_t Address;

enum { SUCCESS = 0, OUT_OF_MEMORY = 2, INVALID_DEVICE = 101, NOT_FOUND = 500, MOST_KERNELS = 20000, SMALL = 2048, WORDS = 24 };

static long handles = 100, modules, launches;
static const char *names[MOST_KERNELS];
static FILE *grids;

static Result handle(void **out) { *out = (void *)++handles; return SUCCESS; }

__attribute__((destructor)) static void summary(void) {
    fprintf(stderr, "driver without a card: %ld kernels compiled, %ld launches\n", modules, launches);
}

/* --- device: an H100 */
Result cuInit(unsigned flags) { return SUCCESS; }
Result cuDriverGetVersion(int *version) { *version = 13000; return SUCCESS; }
Result cuDeviceGetCount(int *count) { *count = 1; return SUCCESS; }
Result cuDeviceGet(int *device, int index) { *device = index; return index ? INVALID_DEVICE : SUCCESS; }
Result cuDeviceGetName(char *name, int length, int device) { snprintf(name, length, "NVIDIA H100 80GB HBM3"); return SUCCESS; }
Result cuDeviceGetUuid_v2(void *uuid, int device) { memset(uuid, 7, 16); return SUCCESS; }
Result cuDeviceGetPCIBusId(char *id, int length, int device) { snprintf(id, length, "00000000:00:06.0"); return SUCCESS; }
Result cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = (size_t)80 << 30; return SUCCESS; }
Result cuDeviceGetAttribute(int *value, int attribute, int device) {
    static const int known[][2] = {
        {1, 1024}, {2, 1024}, {3, 1024}, {4, 64},           /* threads of a block, and on each axis */
        {5, 2147483647}, {6, 65535}, {7, 65535},            /* blocks on each axis */
        {8, 49152}, {81, 233472}, {97, 232448},             /* shared memory */
        {10, 32}, {16, 132}, {39, 2048}, {106, 32},         /* warp, multiprocessors and what they hold */
        {12, 65536}, {82, 65536}, {38, 50 << 20},           /* registers, L2 */
        {13, 1980000}, {36, 2619000}, {37, 5120},           /* clocks, bus */
        {75, 9}, {76, 0},                                   /* compute capability */
    };
    *value = 1;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i][0] == attribute) *value = known[i][1];
    return SUCCESS;
}

/* --- context */
Result cuDevicePrimaryCtxRetain(void **context, int device) { *context = (void *)1; return SUCCESS; }
Result cuDevicePrimaryCtxRelease_v2(int device) { return SUCCESS; }
Result cuCtxSetCurrent(void *context) { return SUCCESS; }
Result cuCtxGetCurrent(void **context) { *context = (void *)1; return SUCCESS; }
Result cuCtxSynchronize(void) { return SUCCESS; }
Result cuCtxGetStreamPriorityRange(int *least, int *greatest) { *least = 0; *greatest = -5; return SUCCESS; }

/* --- memory */
static Result reserve(Address *out, size_t bytes) {
    void *memory = mmap(0, bytes + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    *out = memory == MAP_FAILED ? 0 : ((Address)memory + 511) & ~(Address)511;
    return *out ? SUCCESS : OUT_OF_MEMORY;
}
static void twos(void *to, size_t bytes) { for (size_t i = 0; i < bytes / 4; i++) ((float *)to)[i] = 2; }
Result cuMemGetInfo_v2(size_t *left, size_t *total) { *left = (size_t)79 << 30; *total = (size_t)80 << 30; return SUCCESS; }
Result cuMemAlloc_v2(Address *out, size_t bytes) { return reserve(out, bytes); }
Result cuMemAllocAsync(Address *out, size_t bytes, void *stream) { return reserve(out, bytes); }
Result cuMemFree_v2(Address memory) { return SUCCESS; }
Result cuMemFreeAsync(Address memory, void *stream) { return SUCCESS; }
Result cuMemAllocHost_v2(void **out, size_t bytes) { *out = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096); return *out ? SUCCESS : OUT_OF_MEMORY; }
Result cuMemHostAlloc(void **out, size_t bytes, unsigned flags) { return cuMemAllocHost_v2(out, bytes); }
Result cuMemFreeHost(void *memory) { free(memory); return SUCCESS; }
/* Shapes and strides arrive; what is larger is pictures or weights, which nothing reads. */
Result cuMemcpyHtoD_v2(Address to, const void *from, size_t bytes) { if (bytes <= SMALL) memcpy((void *)to, from, bytes); return SUCCESS; }
Result cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes, void *stream) { return cuMemcpyHtoD_v2(to, from, bytes); }
Result cuMemcpyDtoD_v2(Address to, Address from, size_t bytes) { return SUCCESS; }
Result cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes, void *stream) { return SUCCESS; }
Result cuMemcpyDtoH_v2(void *to, Address from, size_t bytes) { twos(to, bytes); return SUCCESS; }
Result cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes, void *stream) { twos(to, bytes); return SUCCESS; }
Result cuMemsetD8_v2(Address to, unsigned char value, size_t bytes) { return SUCCESS; }
Result cuMemsetD8Async(Address to, unsigned char value, size_t bytes, void *stream) { return SUCCESS; }
struct Rows { size_t x, y; int kind, unused; void *host; Address device; void *array; size_t pitch; };
struct Copy { struct Rows from, to; size_t width, height; };
Result cuMemcpy2DAsync_v2(const struct Copy *copy, void *stream) {
    enum { HOST = 1 };
    const struct Rows *to = &copy->to;
    if (to->kind == HOST && to->host)
        for (size_t y = 0; y < copy->height; y++)
            twos((char *)to->host + (to->y + y) * to->pitch + to->x, copy->width);
    return SUCCESS;
}

/* --- streams and events */
Result cuStreamCreate(void **stream, unsigned flags) { return handle(stream); }
Result cuStreamCreateWithPriority(void **stream, unsigned flags, int priority) { return handle(stream); }
Result cuStreamDestroy_v2(void *stream) { return SUCCESS; }
Result cuStreamSynchronize(void *stream) { return SUCCESS; }
Result cuStreamWaitEvent(void *stream, void *event, unsigned flags) { return SUCCESS; }
Result cuStreamIsCapturing(void *stream, int *status) { *status = 0; return SUCCESS; }
Result cuLaunchHostFunc(void *stream, void (*work)(void *), void *data) { work(data); return SUCCESS; }
Result cuEventCreate(void **event, unsigned flags) { return handle(event); }
Result cuEventRecord(void *event, void *stream) { return SUCCESS; }
Result cuEventQuery(void *event) { return SUCCESS; }
Result cuEventSynchronize(void *event) { return SUCCESS; }
Result cuEventDestroy_v2(void *event) { return SUCCESS; }
/* Long enough that a search for the device's greatest speed is content at once. */
Result cuEventElapsedTime_v2(float *ms, void *begin, void *end) { *ms = 25; return SUCCESS; }
Result cuEventElapsedTime(float *ms, void *begin, void *end) { *ms = 25; return SUCCESS; }

/* --- kernels */
Result cuModuleLoadData(void **module, const void *ptx) { modules++; return handle(module); }
Result cuModuleUnload(void *module) { return SUCCESS; }
Result cuModuleGetFunction(void **function, void *module, const char *name) {
    handle(function);
    if (handles < MOST_KERNELS) names[handles] = strdup(name);
    return SUCCESS;
}
Result cuFuncSetAttribute(void *function, int attribute, int value) { return SUCCESS; }
Result cuFuncGetAttribute(int *value, int attribute, void *function) { *value = attribute == 0 ? 1024 : 32; return SUCCESS; }
Result cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *function, int size, size_t shared) { *blocks = 2; return SUCCESS; }
Result cuLaunchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned threads_x, unsigned threads_y,
                      unsigned threads_z, unsigned shared, void *stream, void **arguments, void **extra) {
    launches++;
    const char *path = getenv("DRIVER_GRIDS");
    if (path && !grids) grids = fopen(path, "w");
    if (!grids || (long)function >= MOST_KERNELS) return SUCCESS;
    const char *name = names[(long)function];
    fprintf(grids, "%s %u %u", name, x * y * z, threads_x * threads_y * threads_z);
    if (!strncmp(name, "reduce_kernel", 13)) {
        /* Its arguments are input, output, shapes and strides. */
        const uint32_t *words = *(uint32_t **)arguments[2];
        for (int i = 0; i < WORDS; i++) fprintf(grids, " %u", words[i]);
    }
    fputc('\n', grids);
    return SUCCESS;
}
Result cuTensorMapEncodeTiled(void *map) { return SUCCESS; }
Result cuTensorMapEncodeIm2col(void *map) { return SUCCESS; }

/* --- what NVRTC asks for; it does without */
Result cuGetExportTable(const void **table, const void *id) { *table = 0; return NOT_FOUND; }
Result cuGetProcAddress_v2(const char *symbol, void **function, int version, uint64_t flags, int *status) { *function = 0; return NOT_FOUND; }
Result cuGetErrorName(Result error, const char **name) { *name = "ERROR"; return SUCCESS; }
Result cuGetErrorString(Result error, const char **text) { *text = "an error of the driver without a card"; return SUCCESS; }
