/* Decodes MMR (T.6), and single rows of MH and MR (T.4). */
#include "mmr.h"

#define RUN_WINDOW 13                   /* bits of the longest run code */
#define MODE_WINDOW 7                   /* bits of the longest mode code */
#define MODE_HORIZONTAL 4               /* meanings in the table of modes; below: a1 - b1 of a vertical mode */
#define MODE_PASS 5
#define CUT_OFF_WITHIN (2 * RUN_WINDOW) /* an invalid code word this many bits before the end may be incomplete */
#define EOFB 0x001001
#define EOFB_BITS 24
#define MOST_ROW_BITS (1 << 29)
#define MOST_PADDING_OCTETS 64          /* zeros allowed behind the last row of a page without EOFB */

/* How decoding ended; group4.py has the same numbers. */
enum { MORE, ENDED, DAMAGED, FULL };

struct entry {
    int16_t bits, meaning;
};

/* Look-up tables by the next bits, made in codes.py. */
struct tables {
    const struct entry *runs[2], *modes;
};

struct coded {
    const uint8_t *data;
    int64_t octets, at; /* octets that may be read, and the next bit */
};

/* The next `bits` bits, at most 25; zeros behind the last octet. */
static uint32_t ahead(const struct coded *from, unsigned bits)
{
    int64_t octet = from->at >> 3;
    const uint8_t *data = from->data + octet;
    uint32_t word = 0;
    if (octet + 4 <= from->octets)
        word = (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
    else
        for (int64_t at = octet; at < octet + 4; at++)
            word = word << 8 | (at < from->octets ? from->data[at] : 0);
    return word << (from->at & 7) >> (32 - bits);
}

/* Reads a run with its make-up codes; -1 if no code word matches. */
static int64_t take_run(struct coded *from, const struct entry *runs)
{
    int64_t run = 0;
    for (;;) {
        struct entry entry = runs[ahead(from, RUN_WINDOW)];
        if (entry.bits <= 0)
            return -1;
        from->at += entry.bits;
        if (entry.meaning >= 0)
            return run + entry.meaning;
        run -= entry.meaning;
    }
}

/* Adds a change. Two at one place, a run of 0 pixels, cancel each other. Returns the new number of changes. */
static Py_ssize_t toggle(int32_t *changes, Py_ssize_t count, int32_t place)
{
    if (count && changes[count - 1] == place)
        return count - 1;
    changes[count] = place;
    return count + 1;
}

/* Decodes a row of T.4's one-dimensional coding into its changes, `own`, without sentinels. Returns their number, or
 * -1 if the bits are not a row of this width. */
static Py_ssize_t decode_row_1d(struct coded *from, const struct tables *tables, int32_t *own, int32_t width)
{
    int64_t place = 0;
    Py_ssize_t count = 0;
    for (int black = 0; place < width; black = !black) {
        int64_t run = take_run(from, tables->runs[black]);
        place += run;
        if (run < 0 || place > width)
            return -1;
        count = toggle(own, count, (int32_t)place);
    }
    return count && own[count - 1] == width ? count - 1 : count;
}

/* Decodes a row of two-dimensional coding into its changes, `own`, without sentinels; `above` are those of the row
 * above. Returns their number, or -1 if the bits are not a row of this width; `from` is then behind the last code
 * word read.
 *
 * `room` 0: runs of 0 pixels are no changes, as T.6 has it. Else they are, and `own` has room for so many changes.
 *
 * `above` is never read beyond its sentinels: after its last change, which they equal, any vertical mode that
 * continues the row moves back, and a pass mode ends the row. */
static Py_ssize_t decode_row_2d(struct coded *from, const struct tables *tables, const int32_t *above,
                                int32_t *own, int32_t width, Py_ssize_t room)
{
    int32_t start = -1; /* a0 */
    Py_ssize_t b1 = 0, count = 0; /* the parity of b1 is the colour of a0 */
    while (start < width) {
        if (room && count + 2 > room)
            return -1;
        struct entry mode = tables->modes[ahead(from, MODE_WINDOW)];
        if (mode.bits <= 0 || mode.meaning > MODE_PASS)
            return -1;
        from->at += mode.bits;
        if (mode.meaning == MODE_PASS) {
            start = above[b1 + 1];
            b1 += 2;
            if (start >= width)
                return -1; /* a1 would lie beyond the row */
        } else if (mode.meaning == MODE_HORIZONTAL) {
            int64_t first = take_run(from, tables->runs[b1 & 1]), second = -1;
            if (first >= 0)
                second = take_run(from, tables->runs[!(b1 & 1)]);
            int64_t end = (start < 0 ? 0 : start) + first + second;
            if (second < 0 || end > width)
                return -1;
            if (room) {
                own[count++] = (int32_t)(end - second);
                own[count++] = (int32_t)end;
            } else {
                count = toggle(own, count, (int32_t)(end - second));
                count = toggle(own, count, (int32_t)end);
            }
            start = (int32_t)end;
        } else {
            int32_t place = above[b1] + mode.meaning;
            if (place < 0 || place < start + !room || place > width)
                return -1;
            own[count++] = start = place;
            /* The next b1 has the other colour and may lie before the last one. */
            b1 += mode.meaning >= 0 || b1 == 0 ? 1 : -1;
        }
        if (start < width)
            while (above[b1] <= start)
                b1 += 2;
    }
    while (count && own[count - 1] == width)
        count--;
    return count;
}

/* Blackens pixels `first` to before `end` of a row in which they are white. */
static void blacken(uint8_t *row, int32_t first, int32_t end)
{
    int32_t from = first >> 3, to = end >> 3;
    uint8_t head = (uint8_t)(0xff >> (first & 7)), tail = (uint8_t)~(0xff >> (end & 7));
    if (from == to) {
        row[from] |= head & tail;
        return;
    }
    row[from] |= head;
    memset(row + from + 1, 0xff, (size_t)(to - from - 1));
    if (tail)
        row[to] |= tail; /* if 0, it may lie behind the row */
}

/* Paints a row from its changes, and puts sentinels behind them. */
static void paint(uint8_t *row, Py_ssize_t octets, int32_t *changes, Py_ssize_t count, int32_t width)
{
    for (int more = 0; more < SENTINELS; more++)
        changes[count + more] = width;
    memset(row, 0, (size_t)octets);
    for (Py_ssize_t at = 0; at < count; at += 2)
        blacken(row, changes[at], changes[at + 1]);
}

static int is_zero(const struct coded *from)
{
    if (from->at >= 8 * from->octets)
        return 1;
    if (from->data[from->at >> 3] & 0xff >> (from->at & 7))
        return 0;
    for (int64_t octet = (from->at >> 3) + 1; octet < from->octets; octet++)
        if (from->data[octet])
            return 0;
    return 1;
}

/* Decodes at most `most` rows into `pixels`; returns their number and sets `how`. The first half of `changes` holds
 * those of the row above; the second half is scratch. */
static Py_ssize_t decode_rows(struct coded *from, const struct tables *tables, int32_t *changes, size_t half,
                              int32_t width, Py_ssize_t room, Py_ssize_t longest, Py_ssize_t most, int last,
                              uint8_t *pixels, int *how)
{
    const Py_ssize_t row_octets = (width + 7) / 8;
    int32_t *above = changes, *own = changes + half;
    for (Py_ssize_t rows = 0;; rows++) {
        int64_t octet = from->at >> 3;
        if (8 * from->octets - from->at >= EOFB_BITS && ahead(from, EOFB_BITS) == EOFB) {
            *how = ENDED;
            return rows;
        }
        if (last && from->octets - octet <= MOST_PADDING_OCTETS && is_zero(from)) {
            *how = MORE;
            return rows;
        }
        /* One octet more than the longest row, which may begin at the last bit of an octet. */
        struct coded row = *from;
        int64_t window = longest / 8 + 2;
        if (window < MOST_PADDING_OCTETS)
            window = MOST_PADDING_OCTETS;
        if (row.octets > octet + window)
            row.octets = octet + window;
        int64_t end = 8 * row.octets;
        Py_ssize_t count = decode_row_2d(&row, tables, above, own, width, room);
        if (count < 0 || row.at > end) {
            int cut_off = row.at + CUT_OFF_WITHIN > end && end - from->at < longest;
            *how = cut_off && !last ? MORE : DAMAGED;
            return rows;
        }
        if (rows == most) {
            *how = FULL;
            return rows;
        }
        from->at = row.at;
        paint(pixels + rows * row_octets, row_octets, own, count, width);
        int32_t *other = above;
        above = own;
        own = other;
    }
}

/* Returns 0 if the octets are not the tables. */
static int take_tables(const Py_buffer *from, struct tables *tables)
{
    const struct entry *entry = from->buf;
    if (from->len != (2 * (1 << RUN_WINDOW) + (1 << MODE_WINDOW)) * (Py_ssize_t)sizeof *entry)
        return 0;
    tables->runs[0] = entry;
    tables->runs[1] = entry + (1 << RUN_WINDOW);
    tables->modes = entry + 2 * (1 << RUN_WINDOW);
    return 1;
}

PyObject *py_decode(PyObject *module, PyObject *args)
{
    Py_buffer data, above, given;
    Py_ssize_t skip, width, longest, most;
    int last, empty_runs, how = MORE;
    int32_t *changes = NULL;
    uint8_t *pixels = NULL;
    PyObject *found = NULL;

    (void)module;
    if (!PyArg_ParseTuple(args, "y*nnnny*py*p", &data, &skip, &width, &longest, &most, &above, &last, &given,
                          &empty_runs))
        return NULL;
    struct tables tables;
    Py_ssize_t row_octets = (width + 7) / 8;
    if (skip < 0 || skip > 7 || width <= 0 || width > MOST_WIDTH || longest <= 0 || longest > MOST_ROW_BITS || most < 0
        || most > MOST_ROWS || (above.len != 0 && above.len != row_octets) || !take_tables(&given, &tables)) {
        PyErr_SetString(PyExc_ValueError, "no row of that size, or not the tables of codes");
        goto out;
    }
    struct coded from = {data.buf, data.len, skip};
    /* Of empty runs, 21 bits each, a row of at most `longest` bits has fewer. */
    Py_ssize_t room = empty_runs ? width + longest / 8 + 8 : 0;
    size_t half = (size_t)(room ? room : width) + SENTINELS + 1; /* 0 to the width, and sentinels */
    changes = PyMem_Malloc(2 * half * sizeof *changes);
    pixels = PyMem_Malloc((size_t)(most * row_octets) + 1);
    if (changes == NULL || pixels == NULL) {
        PyErr_NoMemory();
        goto out;
    }
    for (int more = 0; more < SENTINELS; more++)
        changes[more] = (int32_t)width; /* the row above the first is white */
    if (above.len)
        find_changes(above.buf, (int32_t)width, changes);
    Py_ssize_t rows
        = decode_rows(&from, &tables, changes, half, (int32_t)width, room, longest, most, last, pixels, &how);
    found = Py_BuildValue("y#Li", pixels, rows * row_octets, (long long)from.at, how);
out:
    PyMem_Free(changes);
    PyMem_Free(pixels);
    PyBuffer_Release(&data);
    PyBuffer_Release(&above);
    PyBuffer_Release(&given);
    return found;
}

/* Packs a string of 0 and 1 into octets. Returns NULL without memory. */
static uint8_t *packed(const char *bits, Py_ssize_t count)
{
    uint8_t *octets = PyMem_Calloc((size_t)count / 8 + 1, 1);
    if (octets != NULL)
        for (Py_ssize_t at = 0; at < count; at++)
            octets[at >> 3] |= (uint8_t)((bits[at] & 1) << (7 - (at & 7)));
    return octets;
}

PyObject *py_decode_row(PyObject *module, PyObject *args)
{
    const char *bits;
    Py_buffer above = {0}, given;
    Py_ssize_t count, width;
    struct tables tables;
    uint8_t *octets = NULL, *pixels = NULL;
    int32_t *changes = NULL;
    PyObject *found = NULL;

    (void)module;
    if (!PyArg_ParseTuple(args, "s#nz*y*", &bits, &count, &width, &above, &given))
        return NULL;
    Py_ssize_t row_octets = (width + 7) / 8;
    if (width <= 0 || width > MOST_WIDTH || (above.buf != NULL && above.len != row_octets)
        || !take_tables(&given, &tables)) {
        PyErr_SetString(PyExc_ValueError, "no row of that size, or not the tables of codes");
        goto out;
    }
    size_t half = (size_t)width + SENTINELS + 1; /* 0 to the width, and sentinels */
    octets = packed(bits, count);
    changes = PyMem_Malloc(2 * half * sizeof *changes);
    pixels = PyMem_Malloc((size_t)row_octets);
    if (octets == NULL || changes == NULL || pixels == NULL) {
        PyErr_NoMemory();
        goto out;
    }
    struct coded from = {octets, count / 8 + 1, 0};
    int32_t *own = changes + half;
    Py_ssize_t changed;
    if (above.buf != NULL) {
        find_changes(above.buf, (int32_t)width, changes);
        changed = decode_row_2d(&from, &tables, changes, own, (int32_t)width, 0);
    } else {
        changed = decode_row_1d(&from, &tables, own, (int32_t)width);
    }
    if (changed < 0 || from.at > count) {
        Py_INCREF(Py_None);
        found = Py_None;
        goto out;
    }
    paint(pixels, row_octets, own, changed, (int32_t)width);
    found = Py_BuildValue("y#L", pixels, row_octets, (long long)from.at);
out:
    PyMem_Free(octets);
    PyMem_Free(changes);
    PyMem_Free(pixels);
    if (above.buf != NULL)
        PyBuffer_Release(&above);
    PyBuffer_Release(&given);
    return found;
}
