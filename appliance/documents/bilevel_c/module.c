/* The compiled part of the renderer, as Python sees it: see ../_bilevel.pyi. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <stdlib.h>
#include <string.h>

#include "sheet.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

/* Multiplying eight octets of 0 or 1 by this leaves them as bits in the highest octet, the first one in
 * memory as the most significant. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define GATHER UINT64_C(0x0102040810204080)
#else
#define GATHER UINT64_C(0x8040201008040201)
#endif

/* Both far beyond the renderer's own bounds. */
#define MOST_SIDE (1 << 20)
#define MOST_PIXELS (INT64_C(1) << 28)
#define LARGEST_OCTETS (32 << 20) /* as high as glibc goes */
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

/* Rows of octets of 0 or 1 as packed rows of bits; white fills the last octet of a row. */
static void pack_row(uint8_t *to, uint8_t *row, Py_ssize_t width)
{
    memset(row + width, 0, (size_t)((8 - width % 8) % 8));
    for (Py_ssize_t at = 0; at < (width + 7) / 8; at++) {
        uint64_t eight;
        memcpy(&eight, row + 8 * at, 8);
        to[at] = (uint8_t)(eight * GATHER >> 56);
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
        for (Py_ssize_t x = 0; x < width; x++)
            line[x] = from[x] < level;
        pack_row(to + y * row_octets, line, width);
    }
out:
    free(line);
    PyBuffer_Release(&grey);
    return packed;
}

static PyObject *luma(PyObject *module, PyObject *args)
{
    Py_buffer page;
    Py_ssize_t stride, width, rows;

    (void)module;
    if (!PyArg_ParseTuple(args, "y*nnn", &page, &stride, &width, &rows))
        return NULL;
    PyObject *grey = NULL;
    if (!fits(&page, width, rows, stride, 4))
        no_picture();
    else if ((grey = PyBytes_FromStringAndSize(NULL, width * rows)) != NULL)
        take_luma((uint8_t *)PyBytes_AsString(grey), (Pixels){page.buf, stride, 4}, (Size){width, rows});
    PyBuffer_Release(&page);
    return grey;
}

/* What a row of a page in grey is: nothing, black on white, or more than that; ROW_SOLID besides. */
enum { ROW_WHITE, ROW_PLAIN, ROW_TONED, ROW_SOLID = 4, GREY_AREA = 8 };

/* Which pixels are ink and which are white; ROW_TONED when some are neither. */
WIDE static uint8_t tell_apart(uint8_t *restrict inks, uint8_t *restrict whites, const uint8_t *restrict row,
                               uint8_t ink_below, uint8_t white_from, Py_ssize_t width)
{
    uint8_t neither = 0, not_white = 0;
    for (Py_ssize_t x = 0; x < width; x++) {
        uint8_t ink = row[x] < ink_below, white = row[x] >= white_from;
        inks[x] = ink;
        whites[x] = white;
        neither |= (ink | white) ^ 1;
        not_white |= white ^ 1;
    }
    return neither ? ROW_TONED : not_white ? ROW_PLAIN : ROW_WHITE;
}

/* Whether a pixel is neither, and has not both near it. */
WIDE static int has_tone(const uint8_t *restrict inks, const uint8_t *restrict whites, const uint8_t *restrict row,
                         uint8_t ink_below, uint8_t white_from, Py_ssize_t width)
{
    uint8_t lost = 0;
    for (Py_ssize_t x = 0; x < width; x++)
        lost |= (row[x] >= ink_below) & (row[x] < white_from) & ((inks[x] & whites[x]) ^ 1);
    return lost;
}

/* Black areas so wide, over so many rows at 196 to the inch, are no type: what is white on them is. */
enum { SOLID_ACROSS = 64, SOLID_ROWS = STROKE };
/* So are grey ones of this size: a legend's, that are to look like the chart's. */
enum { GREY_ACROSS = 16, GREY_ROWS = 12, GREY_FROM = 40 };

/* Whether so many set pixels, a power of two, stand side by side.  ``scratch`` has the room of a row. */
WIDE static int has_long_run(uint8_t *restrict scratch, const uint8_t *restrict inks, Py_ssize_t width, Py_ssize_t across)
{
    uint8_t some = 0;
    Py_ssize_t left = width - across / 2;
    if (width < across)
        return 0;
    for (Py_ssize_t x = 0; x + 1 < width; x++)
        scratch[x] = inks[x] & inks[x + 1];
    for (Py_ssize_t covered = 2; covered < across / 2; covered *= 2)
        for (Py_ssize_t x = 0; x + 2 * covered <= width; x++)
            scratch[x] &= scratch[x + covered];
    for (Py_ssize_t x = 0; x + across / 2 <= left; x++)
        some |= scratch[x] & scratch[x + across / 2];
    return some;
}

WIDE static int mark_grey(uint8_t *restrict greys, const uint8_t *restrict inks, const uint8_t *restrict row, Py_ssize_t width)
{
    uint8_t some = 0;
    for (Py_ssize_t x = 0; x < width; x++) {
        greys[x] = inks[x] & (row[x] >= GREY_FROM);
        some |= greys[x];
    }
    return some;
}

/* kinds[y] = what row y is.  A pixel that is neither ink nor white and has both within NEAR pixels is the rim of a
 * letter.  Returns 0, or -1 without memory. */
static int tell_rows(uint8_t *kinds, const uint8_t *grey, Py_ssize_t stride, Size page, uint8_t ink_below,
                     uint8_t white_from, Py_ssize_t solid_rows)
{
    enum { NEAR = 3, BAND = 64 };
    Py_ssize_t width = page.width;
    size_t most = (size_t)(width * (BAND + 2 * NEAR));
    uint8_t *ink = malloc(2 * most + 2 * (size_t)width), *white = ink + most, *scratch = white + most, *greys = scratch + width;
    if (ink == NULL)
        return -1;
    int failed = 0;
    Py_ssize_t solid = 0, solid_grey = 0; /* rows up to this one */
    Py_ssize_t grey_rows = solid_rows * GREY_ROWS / SOLID_ROWS;
    for (Py_ssize_t top = 0; top < page.rows && !failed; top += BAND) {
        Py_ssize_t from = top < NEAR ? 0 : top - NEAR, below = top + BAND < page.rows ? top + BAND : page.rows;
        Py_ssize_t to = below + NEAR < page.rows ? below + NEAR : page.rows;
        int some = 0;
        for (Py_ssize_t y = from; y < to; y++) {
            uint8_t kind = tell_apart(ink + (y - from) * width, white + (y - from) * width, grey + y * stride,
                                      ink_below, white_from, width);
            some |= kind == ROW_TONED;
            if (y < top || y >= below)
                continue;
            kinds[y] = kind;
            const uint8_t *inks = ink + (y - from) * width;
            solid = kind != ROW_WHITE && has_long_run(scratch, inks, width, SOLID_ACROSS) ? solid + 1 : 0;
            int has_grey = kind != ROW_WHITE && mark_grey(greys, inks, grey + y * stride, width)
                           && has_long_run(scratch, greys, width, GREY_ACROSS);
            solid_grey = has_grey ? solid_grey + 1 : 0;
            if (solid >= solid_rows)
                kinds[y] |= ROW_SOLID;
            if (solid_grey >= grey_rows)
                kinds[y] |= ROW_TONED | GREY_AREA;
        }
        if (!some)
            continue;
        Size size = {width, to - from};
        failed = widen_light(ink, size, 2 * NEAR + 1, 2 * NEAR + 1) < 0
                 || widen_light(white, size, 2 * NEAR + 1, 2 * NEAR + 1) < 0;
        for (Py_ssize_t y = top; y < below && !failed; y++)
            if ((kinds[y] & ROW_TONED) && !(kinds[y] & GREY_AREA)
                && !has_tone(ink + (y - from) * width, white + (y - from) * width, grey + y * stride, ink_below,
                             white_from, width))
                kinds[y] = (uint8_t)(ROW_PLAIN | (kinds[y] & ROW_SOLID));
    }
    free(ink);
    return failed ? -1 : 0;
}

static PyObject *toned(PyObject *module, PyObject *args)
{
    Py_buffer grey;
    Py_ssize_t stride, width, rows, apart;
    uint8_t ink_below, white_from;
    int y_dpi;

    (void)module;
    if (!PyArg_ParseTuple(args, "y*nnnbbni", &grey, &stride, &width, &rows, &ink_below, &white_from, &apart, &y_dpi))
        return NULL;
    PyObject *spans = NULL;
    uint8_t *kinds = NULL;
    if (!fits(&grey, width, rows, stride, 1)) {
        no_picture();
        goto out;
    }
    kinds = malloc((size_t)rows);
    spans = PyList_New(0);
    if (kinds == NULL || spans == NULL
        || tell_rows(kinds, grey.buf, stride, (Size){width, rows}, ink_below, white_from, (Py_ssize_t)SOLID_ROWS * y_dpi / 196)
               < 0)
        goto no_memory;
    for (Py_ssize_t first = 0; first < rows;) {
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
    Py_ssize_t stride, rows, first, from, below;
    int channels;
    Ground *ground;

    (void)module;
    if (!PyArg_ParseTuple(args, "w*y*innnnn", &ground_buffer, &page, &channels, &stride, &rows, &first, &from, &below))
        return NULL;
    PyObject *done = NULL;
    uint8_t *planes = NULL;
    if (!takes_ground(&ground_buffer, &ground) || (channels != 1 && channels != 4)
        || !fits(&page, ground->size.width, rows, stride, channels) || first < 0
        || first + rows > ground->size.rows || from % rows_of_tile(ground->y_dpi) || from < first || below > first + rows) {
        no_picture();
        goto out;
    }
    Band band = {.ground = ground,
                 .size = {ground->size.width, rows},
                 .first = first,
                 .from = {page.buf, stride, channels}};
    size_t octets = (size_t)(band.size.width * rows);
    planes = malloc(2 * octets);
    if (planes == NULL) {
        PyErr_NoMemory();
        goto out;
    }
    band.tone = planes;
    band.type = channels == 4 ? planes + octets : planes;
    take_planes(band.type, band.tone, band.from, band.size);
    survey(ground, &band, from, below);
    done = Py_NewRef(Py_None);
out:
    free(planes);
    PyBuffer_Release(&page);
    PyBuffer_Release(&ground_buffer);
    return done;
}

/* Boxes are four numbers of Py_ssize_t each. */
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

static PyObject *bilevel(PyObject *module, PyObject *args)
{
    Py_buffer ground_buffer, page, under = {0}, boxes;
    Py_ssize_t stride, rows, first, from, below;
    int channels, darker;
    Ground *ground;

    (void)module;
    if (!PyArg_ParseTuple(args, "w*y*z*innnnny*i", &ground_buffer, &page, &under, &channels, &stride, &rows, &first,
                          &from, &below, &boxes, &darker))
        return NULL;
    PyObject *packed = NULL;
    uint8_t *planes = NULL, *tones = NULL;
    if (!takes_ground(&ground_buffer, &ground) || (channels != 1 && channels != 4)
        || !fits(&page, ground->size.width, rows, stride, channels)
        || (under.buf && !fits(&under, ground->size.width, rows, stride, channels)) || first < 0
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
    enum { CLOSED, PHOTO, BLACK, RESULTS, TONE = 0, TYPE, UNDER_TONE, UNDER_TYPE, DARK, LIGHT };
    size_t count = under.buf ? LIGHT + 1 : channels == 4 ? TYPE + 1 : TONE + 1;
    /* Two pieces, none so large that it would come from the system, in which case each page would clear it. */
    planes = malloc(RESULTS * octets);
    tones = malloc(count * octets + 8); /* the eight: pack_row fills the last octet of a row */
    packed = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)row_octets * (below - from));
    if (planes == NULL || tones == NULL || packed == NULL)
        goto no_memory;
    band.closed = planes + CLOSED * octets;
    band.photo = planes + PHOTO * octets;
    band.tone = band.under_tone = tones + TONE * octets;
    band.type = band.under_type = channels == 4 ? tones + TYPE * octets : band.tone;
    Pixels with = {page.buf, stride, channels}, without = {under.buf, stride, channels};
    take_planes(band.type, band.tone, with, band.size);
    if (under.buf) {
        band.under_tone = tones + UNDER_TONE * octets;
        band.under_type = tones + UNDER_TYPE * octets;
        band.dark_type = tones + DARK * octets;
        band.light_type = tones + LIGHT * octets;
        take_planes(band.under_type, band.under_tone, without, band.size);
        take_difference(band.dark_type, band.light_type, with, without, band.size);
    }
    uint8_t *black = planes + BLACK * octets, *line = tones + TONE * octets;
    if (make_bilevel(&band, black) < 0)
        goto no_memory;
    uint8_t *to = (uint8_t *)PyBytes_AsString(packed);
    for (Py_ssize_t y = from; y < below; y++) {
        memcpy(line, black + (size_t)(y - first) * width, width);
        pack_row(to + (size_t)(y - from) * row_octets, line, (Py_ssize_t)width);
    }
    goto out;
no_memory:
    Py_CLEAR(packed);
    PyErr_NoMemory();
out:
    free(planes);
    free(tones);
    PyBuffer_Release(&ground_buffer);
    PyBuffer_Release(&page);
    if (under.buf)
        PyBuffer_Release(&under);
    PyBuffer_Release(&boxes);
    return packed;
}

static PyMethodDef methods[] = {
    {"threshold", threshold, METH_VARARGS, "See _bilevel.pyi."},
    {"luma", luma, METH_VARARGS, "See _bilevel.pyi."},
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
    /* Planes of one page are those of the next: given back to the system, each would be cleared again. */
    mallopt(M_MMAP_THRESHOLD, LARGEST_OCTETS);
    mallopt(M_TRIM_THRESHOLD, KEPT_OCTETS);
#endif
    return PyModuleDef_Init(&definition);
}
