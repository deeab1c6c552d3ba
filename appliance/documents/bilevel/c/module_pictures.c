/* Pictures to be read, placed, turned, divided into parts, or made black and white by a threshold. */
#include "module.h"

#include <stdlib.h>
#include <string.h>

/* Multiplying eight octets of 0 or 1 by this gathers them as bits in the highest octet, the first in memory as the
 * most significant. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define GATHER UINT64_C(0x0102040810204080)
#else
#define GATHER UINT64_C(0x8040201008040201)
#endif

/* Packs octets of 0 or 1 into bits; the last octet is filled with 0, white. */
static void pack_row(uint8_t *to, uint8_t *row, Py_ssize_t width)
{
    memset(row + width, 0, (size_t)((8 - width % 8) % 8));
    for (Py_ssize_t at = 0; at < (width + 7) / 8; at++) {
        uint64_t eight;
        memcpy(&eight, row + 8 * at, 8);
        to[at] = (uint8_t)(eight * GATHER >> 56);
    }
}

PyObject *py_threshold(PyObject *module, PyObject *args)
{
    Py_buffer grey;
    Py_ssize_t stride, width, rows;
    unsigned char level;

    (void)module;
    if (!PyArg_ParseTuple(args, "y*nnnb", &grey, &stride, &width, &rows, &level))
        return NULL;
    PyObject *packed = NULL;
    uint8_t *line = NULL;
    if (!fits(&grey, width, rows, stride, 1)) {
        no_picture();
        goto out;
    }
    Py_ssize_t row_octets = (width + 7) / 8;
    line = malloc((size_t)row_octets * 8);
    packed = PyBytes_FromStringAndSize(NULL, row_octets * rows);
    if (line == NULL || packed == NULL) {
        Py_CLEAR(packed);
        PyErr_NoMemory();
        goto out;
    }
    uint8_t *to = (uint8_t *)PyBytes_AsString(packed);
    for (Py_ssize_t y = 0; y < rows; y++) {
        const uint8_t *from = (const uint8_t *)grey.buf + y * stride;
        if (y > 0 && memcmp(from, from - stride, (size_t)width) == 0) {
            memcpy(to + y * row_octets, to + (y - 1) * row_octets, (size_t)row_octets);
            continue;
        }
        for (Py_ssize_t x = 0; x < width; x++)
            line[x] = from[x] < level;
        pack_row(to + y * row_octets, line, width);
    }
out:
    free(line);
    PyBuffer_Release(&grey);
    return packed;
}

PyObject *py_planes(PyObject *module, PyObject *args)
{
    Py_buffer page;
    Py_ssize_t stride, width, rows;

    (void)module;
    if (!PyArg_ParseTuple(args, "y*nnn", &page, &stride, &width, &rows))
        return NULL;
    PyObject *made = NULL;
    if (!fits(&page, width, rows, stride, 4))
        no_picture();
    else if ((made = PyByteArray_FromStringAndSize(NULL, 2 * width * rows)) != NULL) {
        uint8_t *tone = (uint8_t *)PyByteArray_AsString(made);
        take_planes(tone + width * rows, tone, (Pixels){page.buf, stride, 4}, (Size){width, rows});
    }
    PyBuffer_Release(&page);
    return made;
}

PyObject *py_levels(PyObject *module, PyObject *args)
{
    enum { TABLES = 4 }; /* most neighbours are equal, and in one table each count would wait for the last */
    Py_buffer grey;
    Py_ssize_t stride, width, rows;

    (void)module;
    if (!PyArg_ParseTuple(args, "y*nnn", &grey, &stride, &width, &rows))
        return NULL;
    PyObject *counts = NULL;
    uint32_t tables[TABLES][256] = {0};
    if (!fits(&grey, width, rows, stride, 1)) {
        no_picture();
        goto out;
    }
    for (Py_ssize_t y = 0; y < rows; y++) {
        const uint8_t *row = (const uint8_t *)grey.buf + y * stride;
        Py_ssize_t x = 0;
        for (; x + TABLES <= width; x += TABLES)
            for (int table = 0; table < TABLES; table++)
                tables[table][row[x + table]]++;
        for (; x < width; x++)
            tables[0][row[x]]++;
    }
    counts = PyList_New(256);
    for (int level = 0; level < 256 && counts != NULL; level++) {
        PyObject *count = PyLong_FromUnsignedLong((unsigned long)tables[0][level] + tables[1][level] + tables[2][level]
                                                  + tables[3][level]);
        if (count == NULL || PyList_SetItem(counts, level, count) < 0)
            Py_CLEAR(counts);
    }
out:
    PyBuffer_Release(&grey);
    return counts;
}

/* Appends the first and the end of rows ``first`` to before ``below`` to ``spans``, if such ``kinds`` have tones or
 * areas. Returns 0, or -1 with an exception. */
static int add_span(PyObject *spans, Py_ssize_t first, Py_ssize_t below, uint8_t kinds)
{
    if (!(kinds & (ROW_TONED | ROW_SOLID)))
        return 0;
    PyObject *span = Py_BuildValue("nnO", first, below, kinds & ROW_TONED ? Py_True : Py_False);
    int failed = span == NULL || PyList_Append(spans, span) < 0;
    Py_XDECREF(span);
    return failed ? -1 : 0;
}

/* The parts of the page, told apart by more than ``apart`` white rows. NULL with an exception. */
static PyObject *spans_of(const uint8_t *kinds, Py_ssize_t rows, Py_ssize_t apart)
{
    PyObject *spans = PyList_New(0);
    for (Py_ssize_t first = 0; first < rows && spans != NULL;) {
        if (kinds[first] == ROW_WHITE) {
            first++;
            continue;
        }
        Py_ssize_t below = first;
        uint8_t all = 0;
        for (Py_ssize_t y = first; y < rows && y <= below + apart; y++)
            if (kinds[y] != ROW_WHITE) {
                below = y + 1;
                all |= kinds[y];
            }
        if (add_span(spans, first, below, all) < 0)
            Py_CLEAR(spans);
        first = below;
    }
    return spans;
}

PyObject *py_toned(PyObject *module, PyObject *args)
{
    Py_buffer grey;
    Py_ssize_t stride, width, rows, apart, spared;
    uint8_t ink_below, white_from;
    int y_dpi;

    (void)module;
    if (!PyArg_ParseTuple(args, "y*nnnbbnin", &grey, &stride, &width, &rows, &ink_below, &white_from, &apart, &y_dpi,
                          &spared))
        return NULL;
    PyObject *spans = NULL;
    uint8_t *kinds = NULL;
    if (!fits(&grey, width, rows, stride, 1)) {
        no_picture();
        goto out;
    }
    kinds = malloc((size_t)rows);
    int all_toned = kinds == NULL ? -1
                                  : tell_rows(kinds, grey.buf, stride, (Size){width, rows}, ink_below, white_from,
                                              (Py_ssize_t)SOLID_ROWS * y_dpi / 196, spared);
    if (all_toned < 0)
        PyErr_NoMemory();
    else if (all_toned)
        spans = Py_BuildValue("[(nnO)]", (Py_ssize_t)0, rows, Py_True);
    else
        spans = spans_of(kinds, rows, apart);
out:
    free(kinds);
    PyBuffer_Release(&grey);
    return spans;
}

/* Whether a box may hold a picture: it may be larger than a page, within limits. */
static int is_box(Box box)
{
    return box.left >= -MOST_SIDE && box.top >= -MOST_SIDE && box.right <= 2 * MOST_SIDE && box.below <= 2 * MOST_SIDE
           && box.left < box.right && box.top < box.below;
}

PyObject *py_place(PyObject *module, PyObject *args)
{
    Py_buffer bits;
    Size size, page;
    Box box, within;
    int is_paper;

    (void)module;
    if (!PyArg_ParseTuple(args, "y*nnpnn(nnnn)(nnnn)", &bits, &size.width, &size.rows, &is_paper, &page.width,
                          &page.rows, &box.left, &box.top, &box.right, &box.below, &within.left, &within.top,
                          &within.right, &within.below))
        return NULL;
    PyObject *grey = NULL;
    ptrdiff_t stride = (size.width + 7) / 8;
    if (size.width <= 0 || size.rows <= 0 || size.width > MOST_SIDE || size.rows > MOST_SIDE || page.width <= 0
        || page.rows <= 0 || page.width > MOST_SIDE || page.rows > MOST_SIDE || page.width > MOST_PIXELS / page.rows
        || bits.len != stride * size.rows || !is_box(box) || !is_box(within) || !is_inside(within, box)
        || !is_inside(within, (Box){0, 0, page.width, page.rows}) || box.right - box.left > 2 * size.width
        || box.below - box.top > 2 * size.rows) {
        no_picture();
        goto out;
    }
    grey = PyBytes_FromStringAndSize(NULL, page.width * page.rows);
    Picture picture = {bits.buf, stride, size, is_paper ? UINT64_MAX : 0};
    if (grey != NULL && place_picture((uint8_t *)PyBytes_AsString(grey), page, &picture, box, within) < 0) {
        Py_CLEAR(grey);
        PyErr_NoMemory();
    }
out:
    PyBuffer_Release(&bits);
    return grey;
}

PyObject *py_turn(PyObject *module, PyObject *args)
{
    Py_buffer bits;
    Size size;
    int is_paper, quarters;

    (void)module;
    if (!PyArg_ParseTuple(args, "y*nnpi", &bits, &size.width, &size.rows, &is_paper, &quarters))
        return NULL;
    PyObject *turned = NULL;
    ptrdiff_t stride = (size.width + 7) / 8;
    if (size.width <= 0 || size.rows <= 0 || size.width > MOST_SIDE || size.rows > MOST_SIDE
        || size.width > MOST_PIXELS / size.rows || bits.len != stride * size.rows || quarters < 1 || quarters > 3) {
        no_picture();
        goto out;
    }
    Size to = quarters == 2 ? size : (Size){size.rows, size.width};
    Picture picture = {bits.buf, stride, size, is_paper ? UINT64_MAX : 0};
    turned = PyBytes_FromStringAndSize(NULL, (to.width + 7) / 8 * to.rows);
    if (turned != NULL)
        turn_picture((uint8_t *)PyBytes_AsString(turned), &picture, quarters);
out:
    PyBuffer_Release(&bits);
    return turned;
}
