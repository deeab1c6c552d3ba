/* The method: the ground of a page, band by band, and then its rows in black and white. */
#include "module.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_DPI = 50, MOST_DPI = 500, MOST_BOXES = 10000 };

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

static int takes_ground(Py_buffer *buffer, Ground **ground)
{
    *ground = buffer->buf;
    if (buffer->len < (Py_ssize_t)sizeof(Ground) || buffer->readonly)
        return 0;
    Size size = (*ground)->size, tiles = tiles_of(size, (*ground)->y_dpi);
    return size.width > 0 && size.rows > 0 && size.width <= MOST_SIDE && size.rows <= MOST_SIDE
           && buffer->len == (Py_ssize_t)(sizeof(Ground) + (size_t)(tiles.width * tiles.rows) * sizeof(Tile));
}

PyObject *py_new_ground(PyObject *module, PyObject *args)
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

PyObject *py_survey_band(PyObject *module, PyObject *args)
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

PyObject *py_settle_ground(PyObject *module, PyObject *args)
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

/* What ``bilevel`` is given. */
typedef struct {
    Py_buffer ground_buffer, page, under, type_boxes, boxes;
    Made made;
    Ground *ground;
    Py_ssize_t stride, rows, first, from, below;
    int channels, darker;
} Given;

static void release_given(Given *given)
{
    release_made(&given->made);
    PyBuffer_Release(&given->ground_buffer);
    PyBuffer_Release(&given->page);
    if (given->under.buf)
        PyBuffer_Release(&given->under);
    PyBuffer_Release(&given->type_boxes);
    PyBuffer_Release(&given->boxes);
}

static int fits_together(Given *given)
{
    if (!takes_ground(&given->ground_buffer, &given->ground) || (given->channels != 1 && given->channels != 4))
        return 0;
    Size size = {given->ground->size.width, given->rows};
    return fits(&given->page, size.width, size.rows, given->stride, given->channels)
           && (!given->under.buf || fits(&given->under, size.width, size.rows, given->stride, given->channels))
           && takes_type(&given->type_boxes, size) && given->first >= 0
           && given->first + size.rows <= given->ground->size.rows && given->from >= given->first
           && given->below <= given->first + size.rows && given->from < given->below && takes_boxes(&given->boxes)
           && given->darker >= -100 && given->darker <= 100;
}

/* Makes the planes of the band, which the caller frees. Returns NULL without memory. */
static uint8_t *take_band_planes(Band *band, const Given *given)
{
    const Made *made = &given->made;
    size_t octets = (size_t)(band->size.width * band->size.rows);
    size_t of_page = made->tone.buf != NULL ? 0 : given->channels == 4 ? 2 : 1, of_type = given->under.buf ? 2 : 0;
    uint8_t *planes = malloc((1 + of_page + of_type) * octets);
    if (planes == NULL)
        return NULL;
    band->closed = planes;
    if (made->tone.buf != NULL) {
        band->under_tone = made->tone.buf;
        band->under_type = made->type.buf;
    } else {
        band->under_tone = planes + octets;
        band->under_type = given->channels == 4 ? band->under_tone + octets : band->under_tone;
        take_planes(band->under_type, band->under_tone, band->from, band->size);
    }
    if (given->under.buf) {
        band->dark_type = planes + (1 + of_page) * octets;
        band->light_type = band->dark_type + octets;
        band->type_boxes = given->type_boxes.buf;
        band->type_count = given->type_boxes.len / (Py_ssize_t)sizeof(Box);
        take_under(band, (Pixels){given->under.buf, given->stride, given->channels});
    }
    return planes;
}

/* The rows asked for, packed. Returns NULL, with an exception, without memory. */
static PyObject *rows_of_band(Band *band, const Given *given)
{
    Mask masks[2] = {0}, *black = masks + 1;
    Py_ssize_t row_octets = (band->size.width + 7) / 8, rows = given->below - given->from;
    uint8_t *planes = take_band_planes(band, given);
    PyObject *packed = PyBytes_FromStringAndSize(NULL, row_octets * rows);
    int failed = planes == NULL || packed == NULL || new_masks(masks, 2, band->size) < 0;
    if (!failed) {
        band->photo = masks[0];
        failed = make_bilevel(band, black) < 0;
    }
    if (failed) {
        Py_CLEAR(packed);
        PyErr_NoMemory();
    } else {
        uint8_t *to = (uint8_t *)PyBytes_AsString(packed);
        for (Py_ssize_t y = 0; y < rows; y++)
            pack_words(to + y * row_octets, row_of(black, given->from + y - given->first), row_octets);
    }
    free(planes);
    free_masks(masks);
    return packed;
}

PyObject *py_bilevel(PyObject *module, PyObject *args)
{
    Given given = {0};
    PyObject *packed = NULL, *made_before = Py_None;

    (void)module;
    if (!PyArg_ParseTuple(args, "w*y*z*y*innnnny*i|O", &given.ground_buffer, &given.page, &given.under,
                          &given.type_boxes, &given.channels, &given.stride, &given.rows, &given.first, &given.from,
                          &given.below, &given.boxes, &given.darker, &made_before))
        return NULL;
    if (!fits_together(&given)) {
        no_picture();
    } else {
        Band band = {.ground = given.ground,
                     .size = {given.ground->size.width, given.rows},
                     .first = given.first,
                     .from = {given.page.buf, given.stride, given.channels},
                     .darker = given.darker,
                     .boxes = given.boxes.buf,
                     .box_count = given.boxes.len / (Py_ssize_t)sizeof(Box)};
        if (take_made(made_before, &given.made, &band))
            packed = rows_of_band(&band, &given);
    }
    release_given(&given);
    return packed;
}
