/* Packed rows to MMR (T.6), for which libtiff needs a third of the time that a scanned page takes in all:
 * this goes from change to change of colour.  Optional: coding.py has libtiff do it
 * where this was not compiled, and both make the same octets.
 */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stdint.h>
#include <string.h>

#define MOST_ROWS (1 << 20)             /* of a page */
#define MOST_WIDTH (1 << 16)            /* pixels: the widest scan line of T.30 has 4864 */
#define TERMINATING 64                  /* run codes 0 to 63 */
#define MAKE_UP 40                      /* 64, 128 ... 2560 */
#define RUN_CODES (TERMINATING + MAKE_UP)
#define LONGEST_MAKE_UP (64 * MAKE_UP)
#define WORD_OCTETS 3                   /* of a code word as it is handed in: its bits, then its value */
#define MOST_WORD_BITS 13

/* Behind the changes of a row: what looks for the next one finds the end of the row. */
#define SENTINELS 4

/* Bits of a change at most: half a horizontal mode with a terminating code, or a vertical mode with the
 * pass modes before it; and make-up codes for each run of 64 pixels. */
#define MOST_BITS_OF_CHANGE 40

struct word {
    uint32_t code;
    unsigned bits;
};

static const struct word pass_mode = {1, 4}, horizontal_mode = {1, 3};
/* By a1 - b1 from -3 (VL3) to 3 (VR3). */
static const struct word vertical_modes[] = {{2, 7}, {2, 6}, {2, 3}, {1, 1}, {3, 3}, {3, 6}, {3, 7}};

struct writer {
    uint8_t *data;
    size_t size, used;
    uint64_t bits; /* not yet written: the lowest `count` of it */
    unsigned count; /* below 8 between two words */
};

static void put(struct writer *to, struct word word)
{
    to->bits = to->bits << word.bits | word.code;
    to->count += word.bits;
    while (to->count >= 8) {
        to->count -= 8;
        to->data[to->used++] = (uint8_t)(to->bits >> to->count);
    }
}

static void put_run(struct writer *to, const struct word *words, int32_t run)
{
    for (; run >= LONGEST_MAKE_UP + 64; run -= LONGEST_MAKE_UP)
        put(to, words[RUN_CODES - 1]);
    if (run >= 64) {
        put(to, words[TERMINATING - 1 + run / 64]);
        run %= 64;
    }
    put(to, words[run]);
}

/* Room for `octets` more.  0 when there is no memory. */
static int reserve(struct writer *to, size_t octets)
{
    if (to->size - to->used >= octets)
        return 1;
    size_t size = to->size * 2 + octets;
    uint8_t *data = PyMem_Realloc(to->data, size);
    if (data == NULL)
        return 0;
    to->data = data;
    to->size = size;
    return 1;
}

static uint64_t eight(const uint8_t *from, Py_ssize_t octets)
{
    uint64_t word = 0;
    for (Py_ssize_t at = 0; at < 8; at++)
        word = word << 8 | (at < octets ? from[at] : 0);
    return word;
}

/* The pixels of a row before which the colour changes, white before the first; then sentinels. */
static void find_changes(const uint8_t *row, int32_t width, int32_t *changes)
{
    Py_ssize_t octets = (width + 7) / 8, count = 0;
    uint64_t last = 0;
    for (Py_ssize_t at = 0; at < octets; at += 8) {
        uint64_t word = eight(row + at, octets - at), change = word ^ (word >> 1 | last << 63);
        last = word & 1;
        while (change) {
            int bit = __builtin_clzll(change);
            int32_t pixel = (int32_t)(8 * at) + bit;
            if (pixel >= width)
                break;
            changes[count++] = pixel;
            change &= ~(UINT64_C(1) << 63 >> bit);
        }
    }
    for (int more = 0; more < SENTINELS; more++)
        changes[count + more] = width;
}

/* One row by the changes of the row above (`above`) and its own: T.6 2.2. */
static void encode_row(struct writer *to, const int32_t *above, const int32_t *own, int32_t width,
                       const struct word words[2][RUN_CODES])
{
    int32_t start = -1; /* a0 */
    int black = 0;
    const int32_t *b1 = above, *a1 = own;
    while (start < width) {
        if (b1[1] < *a1) {
            put(to, pass_mode);
            start = b1[1];
            b1 += 2;
            continue;
        }
        int32_t difference = *a1 - *b1;
        if (-3 <= difference && difference <= 3) {
            put(to, vertical_modes[difference + 3]);
            start = *a1++;
            black = !black;
            /* The next b1 is of the other colour, and may lie before the last one. */
            if (b1 > above)
                b1--;
            else
                b1++;
        } else {
            put(to, horizontal_mode);
            put_run(to, words[black], *a1 - (start < 0 ? 0 : start));
            put_run(to, words[!black], a1[1] - *a1);
            start = a1[1];
            a1 += 2;
        }
        while (*b1 <= start && *b1 < width)
            b1 += 2;
    }
}

/* The code words of both colours.  0 when they are none. */
static int take_words(const Py_buffer *from, struct word words[2][RUN_CODES])
{
    const uint8_t *at = from->buf;
    if (from->len != 2 * RUN_CODES * WORD_OCTETS)
        return 0;
    for (int colour = 0; colour < 2; colour++)
        for (int run = 0; run < RUN_CODES; run++, at += WORD_OCTETS) {
            words[colour][run] = (struct word){(uint32_t)at[1] << 8 | at[2], at[0]};
            if (at[0] == 0 || at[0] > MOST_WORD_BITS)
                return 0;
        }
    return 1;
}

static PyObject *encode(PyObject *module, PyObject *args)
{
    Py_buffer pixels, given;
    Py_ssize_t width, rows;
    struct word words[2][RUN_CODES];
    struct writer to = {0};
    int32_t *changes = NULL;
    PyObject *coded = NULL;

    (void)module;
    if (!PyArg_ParseTuple(args, "y*nny*", &pixels, &width, &rows, &given))
        return NULL;
    Py_ssize_t row_octets = (width + 7) / 8;
    if (width <= 0 || width > MOST_WIDTH || rows < 0 || rows > MOST_ROWS || pixels.len != row_octets * rows
        || !take_words(&given, words)) {
        PyErr_SetString(PyExc_ValueError, "the octets do not make a picture of that size");
        goto out;
    }
    size_t row_changes = (size_t)width + SENTINELS + 1;
    size_t most = (size_t)width * MOST_BITS_OF_CHANGE / 8 + 64;
    changes = PyMem_Malloc(2 * row_changes * sizeof *changes);
    if (changes == NULL) {
        PyErr_NoMemory();
        goto out;
    }
    int32_t *above = changes, *own = changes + row_changes;
    for (int more = 0; more < SENTINELS; more++)
        above[more] = (int32_t)width; /* above the first row is a white one */
    for (Py_ssize_t row = 0; row < rows; row++) {
        if (!reserve(&to, most)) {
            PyErr_NoMemory();
            goto out;
        }
        find_changes((const uint8_t *)pixels.buf + row * row_octets, (int32_t)width, own);
        encode_row(&to, above, own, (int32_t)width, (const struct word(*)[RUN_CODES])words);
        int32_t *other = above;
        above = own;
        own = other;
    }
    if (!reserve(&to, 8)) {
        PyErr_NoMemory();
        goto out;
    }
    put(&to, (struct word){1, 12}); /* EOFB: two EOLs */
    put(&to, (struct word){1, 12});
    if (to.count)
        put(&to, (struct word){0, 8 - to.count});
    coded = PyBytes_FromStringAndSize((const char *)to.data, (Py_ssize_t)to.used);
out:
    PyMem_Free(changes);
    PyMem_Free(to.data);
    PyBuffer_Release(&pixels);
    PyBuffer_Release(&given);
    return coded;
}

static PyMethodDef methods[] = {
    {"encode", encode, METH_VARARGS, "See _mmr.pyi."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_mmr", "See _mmr.pyi.", 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__mmr(void)
{
    return PyModuleDef_Init(&definition);
}
