/* The Python interface of the renderer: see ../_bilevel.pyi. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <stdlib.h>
#include <string.h>

#include "sheet.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

/* Multiplying eight octets of 0 or 1 by this gathers them as bits in the highest octet, the first in memory as the
 * most significant. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define GATHER UINT64_C(0x0102040810204080)
#else
#define GATHER UINT64_C(0x8040201008040201)
#endif

/* Far beyond the renderer's own limits. */
#define MOST_SIDE (1 << 20)
#define MOST_PIXELS (INT64_C(1) << 28)
#define LARGEST_OCTETS (32 << 20) /* glibc's maximum */
#define KEPT_OCTETS (128 << 20)
enum { LEAST_DPI = 50, MOST_DPI = 500, MOST_BOXES = 10000 };

static int fits(const Py_buffer *buffer, Py_ssize_t width, Py_ssize_t rows, Py_ssize_t stride, int channels)
{
    return width > 0 && rows > 0 && width <= MOST_SIDE && rows <= MOST_SIDE && width <= MOST_PIXELS / rows
           && stride >= width * channels && stride <= 8 * (Py_ssize_t)MOST_SIDE
           && buffer->len >= stride * (rows - 1) + width * channels;
}

static void *no_picture(void)
{
    PyErr_SetString(PyExc_ValueError, "the octets do not make a picture of that size");
    return NULL;
}

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

/* Packs a row of a mask, whose lowest bit is its leftmost pixel. */
static void pack_words(uint8_t *to, const uint64_t *words, Py_ssize_t octets)
{
    for (Py_ssize_t at = 0; at < octets; at += 8) {
        uint64_t bits = words[at / 8]; /* turned round within each octet */
        bits = (bits & UINT64_C(0x0F0F0F0F0F0F0F0F)) << 4 | (bits >> 4 & UINT64_C(0x0F0F0F0F0F0F0F0F));
        bits = (bits & UINT64_C(0x3333333333333333)) << 2 | (bits >> 2 & UINT64_C(0x3333333333333333));
        bits = (bits & UINT64_C(0x5555555555555555)) << 1 | (bits >> 1 & UINT64_C(0x5555555555555555));
        for (Py_ssize_t each = 0; each < 8 && at + each < octets; each++)
            to[at + each] = (uint8_t)(bits >> 8 * each);
    }
}

static PyObject *threshold(PyObject *module, PyObject *args)
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

static PyObject *planes(PyObject *module, PyObject *args)
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

/* The planes of a page that were made before: luma, and grey for finding type. */
typedef struct {
    Py_buffer tone, type;
} Made;

static void release_made(Made *made)
{
    if (made->tone.buf == NULL)
        return;
    PyBuffer_Release(&made->tone);
    PyBuffer_Release(&made->type);
    made->tone.buf = NULL;
}

/* Takes a tuple of both planes of the band, or None. Returns 0, with an exception, for anything else. */
static int take_made(PyObject *given, Made *made, const Band *band)
{
    Py_ssize_t octets = band->size.width * band->size.rows;
    if (given == Py_None)
        return 1;
    if (!PyTuple_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "both planes, or None");
        return 0;
    }
    if (!PyArg_ParseTuple(given, "w*w*", &made->tone, &made->type)) {
        made->tone.buf = NULL; /* the parser released it */
        return 0;
    }
    if (band->from.channels == 4 && made->tone.len == octets && made->type.len == octets)
        return 1;
    release_made(made);
    no_picture();
    return 0;
}

static PyObject *levels(PyObject *module, PyObject *args)
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

static PyObject *toned(PyObject *module, PyObject *args)
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
    spans = PyList_New(0);
    if (kinds == NULL || spans == NULL)
        goto no_memory;
    int all_toned = tell_rows(kinds, grey.buf, stride, (Size){width, rows}, ink_below, white_from,
                              (Py_ssize_t)SOLID_ROWS * y_dpi / 196, spared);
    if (all_toned < 0)
        goto no_memory;
    if (all_toned) {
        Py_DECREF(spans);
        spans = Py_BuildValue("[(nnO)]", (Py_ssize_t)0, rows, Py_True);
    }
    for (Py_ssize_t first = 0; first < rows && !all_toned;) {
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
        int is_toned = (all & (ROW_TONED | ROW_SOLID)) != 0;
        PyObject *span = is_toned ? Py_BuildValue("nnO", first, below, all & ROW_TONED ? Py_True : Py_False) : NULL;
        int failed = is_toned && (span == NULL || PyList_Append(spans, span) < 0);
        Py_XDECREF(span);
        if (failed)
            goto no_memory;
        first = below;
    }
    goto out;
no_memory:
    Py_CLEAR(spans);
    PyErr_NoMemory();
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

static int is_inside(Box box, Box of)
{
    return box.left >= of.left && box.top >= of.top && box.right <= of.right && box.below <= of.below;
}

static PyObject *place(PyObject *module, PyObject *args)
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

/* -- the method --------------------------------------------------------------------------------- */

static int takes_ground(Py_buffer *buffer, Ground **ground)
{
    *ground = buffer->buf;
    if (buffer->len < (Py_ssize_t)sizeof(Ground) || buffer->readonly)
        return 0;
    Size size = (*ground)->size, tiles = tiles_of(size, (*ground)->y_dpi);
    return size.width > 0 && size.rows > 0 && size.width <= MOST_SIDE && size.rows <= MOST_SIDE
           && buffer->len == (Py_ssize_t)(sizeof(Ground) + (size_t)(tiles.width * tiles.rows) * sizeof(Tile));
}

static PyObject *new_ground(PyObject *module, PyObject *args)
{
    Size size;
    Box content;
    int x_dpi, y_dpi, tones, raster;

    (void)module;
    if (!PyArg_ParseTuple(args, "nniinnnnip", &size.width, &size.rows, &x_dpi, &y_dpi, &content.left, &content.top,
                          &content.right, &content.below, &tones, &raster))
        return NULL;
    if (size.width <= 0 || size.rows <= 0 || size.width > MOST_SIDE || size.rows > MOST_PIXELS / size.width
        || size.rows > MOST_SIDE || x_dpi < LEAST_DPI || x_dpi > MOST_DPI || y_dpi < LEAST_DPI || y_dpi > MOST_DPI
        || content.left < 0 || content.top < 0 || content.right > size.width || content.below > size.rows
        || content.left > content.right || content.top > content.below || tones < TONES_NONE
        || tones > TONES_EVERYWHERE)
        return no_picture();
    Size tiles = tiles_of(size, y_dpi);
    size_t octets = sizeof(Ground) + (size_t)(tiles.width * tiles.rows) * sizeof(Tile);
    PyObject *made = PyByteArray_FromStringAndSize(NULL, (Py_ssize_t)octets);
    if (made == NULL)
        return NULL;
    Ground *ground = (Ground *)PyByteArray_AsString(made);
    memset(ground, 0, octets);
    ground->size = size;
    ground->tiles = tiles;
    ground->x_dpi = x_dpi;
    ground->y_dpi = y_dpi;
    ground->content = content;
    ground->tones = tones;
    ground->raster = raster;
    return made;
}

static PyObject *survey_band(PyObject *module, PyObject *args)
{
    Py_buffer page, ground_buffer;
    Made made = {0};
    Py_ssize_t stride, rows, first, from, below;
    int channels;
    Ground *ground;
    PyObject *made_before = Py_None;

    (void)module;
    if (!PyArg_ParseTuple(args, "w*y*innnnn|O", &ground_buffer, &page, &channels, &stride, &rows, &first, &from, &below,
                          &made_before))
        return NULL;
    PyObject *done = NULL;
    uint8_t *planes = NULL;
    if (!takes_ground(&ground_buffer, &ground) || (channels != 1 && channels != 4)
        || !fits(&page, ground->size.width, rows, stride, channels) || first < 0 || first + rows > ground->size.rows
        || from % rows_of_tile(ground->y_dpi) || (below % rows_of_tile(ground->y_dpi) && below != ground->size.rows)
        || from < first || below > first + rows) {
        no_picture();
        goto out;
    }
    Band band = {.ground = ground,
                 .size = {ground->size.width, rows},
                 .first = first,
                 .from = {page.buf, stride, channels}};
    size_t octets = (size_t)(band.size.width * rows);
    if (!take_made(made_before, &made, &band))
        goto out;
    if (channels == 1 && stride == band.size.width)
        band.tone = page.buf; /* only read */
    else if (made.tone.buf != NULL)
        band.tone = made.tone.buf;
    else if ((band.tone = planes = malloc(2 * octets)) == NULL) {
        PyErr_NoMemory();
        goto out;
    }
    band.type = made.tone.buf != NULL ? made.type.buf : channels == 4 ? band.tone + octets : band.tone;
    if (planes != NULL)
        take_planes(band.type, band.tone, band.from, band.size);
    if (survey(ground, &band, from, below) < 0)
        PyErr_NoMemory();
    else
        done = Py_NewRef(Py_None);
out:
    free(planes);
    release_made(&made);
    PyBuffer_Release(&page);
    PyBuffer_Release(&ground_buffer);
    return done;
}

/* Boxes are four Py_ssize_t each. */
static int takes_boxes(const Py_buffer *boxes)
{
    return boxes->len % (Py_ssize_t)sizeof(Box) == 0 && boxes->len / (Py_ssize_t)sizeof(Box) <= MOST_BOXES;
}

static PyObject *settle_ground(PyObject *module, PyObject *args)
{
    Py_buffer ground_buffer, boxes;
    int darker;
    Ground *ground;
    PyObject *done = NULL;

    (void)module;
    if (!PyArg_ParseTuple(args, "w*y*i", &ground_buffer, &boxes, &darker))
        return NULL;
    if (!takes_ground(&ground_buffer, &ground) || !takes_boxes(&boxes) || darker < -100 || darker > 100)
        no_picture();
    else if (settle(ground, boxes.buf, boxes.len / (Py_ssize_t)sizeof(Box), darker) < 0)
        PyErr_NoMemory();
    else
        done = Py_NewRef(Py_None);
    PyBuffer_Release(&ground_buffer);
    PyBuffer_Release(&boxes);
    return done;
}

/* Whether the boxes lie in the band, one below the other. */
static int takes_type(const Py_buffer *boxes, Size size)
{
    const Box *box = boxes->buf, *end = box + boxes->len / (Py_ssize_t)sizeof *box;
    for (Py_ssize_t begun = 0; takes_boxes(boxes) && box < end; begun = box++->below)
        if (box->top < begun || box->left >= box->right || box->top >= box->below
            || !is_inside(*box, (Box){0, 0, size.width, size.rows}))
            return 0;
    return box == end;
}

static PyObject *bilevel(PyObject *module, PyObject *args)
{
    Py_buffer ground_buffer, page, under = {0}, type_boxes, boxes;
    Made made = {0};
    Py_ssize_t stride, rows, first, from, below;
    int channels, darker;
    Ground *ground;
    PyObject *made_before = Py_None;

    (void)module;
    if (!PyArg_ParseTuple(args, "w*y*z*y*innnnny*i|O", &ground_buffer, &page, &under, &type_boxes, &channels, &stride,
                          &rows, &first, &from, &below, &boxes, &darker, &made_before))
        return NULL;
    PyObject *packed = NULL;
    uint8_t *planes = NULL;
    Mask masks[2] = {0}, *black = masks + 1;
    if (!takes_ground(&ground_buffer, &ground) || (channels != 1 && channels != 4)
        || !fits(&page, ground->size.width, rows, stride, channels)
        || (under.buf && !fits(&under, ground->size.width, rows, stride, channels))
        || !takes_type(&type_boxes, (Size){ground->size.width, rows}) || first < 0
        || first + rows > ground->size.rows || from < first || below > first + rows || from >= below
        || !takes_boxes(&boxes) || darker < -100 || darker > 100) {
        no_picture();
        goto out;
    }
    Band band = {.ground = ground,
                 .size = {ground->size.width, rows},
                 .first = first,
                 .from = {page.buf, stride, channels},
                 .darker = darker,
                 .boxes = boxes.buf,
                 .box_count = boxes.len / (Py_ssize_t)sizeof(Box)};
    size_t width = (size_t)band.size.width, octets = width * (size_t)rows, row_octets = (width + 7) / 8;
    if (!take_made(made_before, &made, &band))
        goto out;
    size_t of_page = made.tone.buf != NULL ? 0 : channels == 4 ? 2 : 1, of_type = under.buf != NULL ? 2 : 0;
    planes = malloc((1 + of_page + of_type) * octets);
    packed = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)row_octets * (below - from));
    if (planes == NULL || packed == NULL || new_masks(masks, 2, band.size) < 0)
        goto no_memory;
    band.photo = masks[0];
    band.closed = planes;
    band.under_tone = made.tone.buf != NULL ? made.tone.buf : planes + octets;
    band.under_type = made.tone.buf != NULL ? made.type.buf
                      : channels == 4       ? band.under_tone + octets
                                            : band.under_tone;
    if (made.tone.buf == NULL)
        take_planes(band.under_type, band.under_tone, band.from, band.size);
    if (under.buf) {
        band.dark_type = planes + (1 + of_page) * octets;
        band.light_type = band.dark_type + octets;
        band.type_boxes = type_boxes.buf;
        band.type_count = type_boxes.len / (Py_ssize_t)sizeof(Box);
        take_under(&band, (Pixels){under.buf, stride, channels});
    }
    if (make_bilevel(&band, black) < 0)
        goto no_memory;
    uint8_t *to = (uint8_t *)PyBytes_AsString(packed);
    for (Py_ssize_t y = from; y < below; y++)
        pack_words(to + (size_t)(y - from) * row_octets, row_of(black, y - first), (Py_ssize_t)row_octets);
    goto out;
no_memory:
    Py_CLEAR(packed);
    PyErr_NoMemory();
out:
    free(planes);
    free_masks(masks);
    release_made(&made);
    PyBuffer_Release(&ground_buffer);
    PyBuffer_Release(&page);
    if (under.buf)
        PyBuffer_Release(&under);
    PyBuffer_Release(&type_boxes);
    PyBuffer_Release(&boxes);
    return packed;
}

static PyObject *turn(PyObject *module, PyObject *args)
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

static PyMethodDef methods[] = {
    {"threshold", threshold, METH_VARARGS, "See _bilevel.pyi."},
    {"planes", planes, METH_VARARGS, "See _bilevel.pyi."},
    {"levels", levels, METH_VARARGS, "See _bilevel.pyi."},
    {"place", place, METH_VARARGS, "See _bilevel.pyi."},
    {"turn", turn, METH_VARARGS, "See _bilevel.pyi."},
    {"toned", toned, METH_VARARGS, "See _bilevel.pyi."},
    {"ground", new_ground, METH_VARARGS, "See _bilevel.pyi."},
    {"survey", survey_band, METH_VARARGS, "See _bilevel.pyi."},
    {"settle", settle_ground, METH_VARARGS, "See _bilevel.pyi."},
    {"bilevel", bilevel, METH_VARARGS, "See _bilevel.pyi."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_bilevel", "See _bilevel.pyi.", 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__bilevel(void)
{
#ifdef __GLIBC__
    /* Planes are reused from page to page: memory given back to the system would be cleared again. */
    mallopt(M_MMAP_THRESHOLD, LARGEST_OCTETS);
    mallopt(M_TRIM_THRESHOLD, KEPT_OCTETS);
#endif
    return PyModuleDef_Init(&definition);
}
