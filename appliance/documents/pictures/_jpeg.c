/* Tells whether the pixels of a baseline JPEG (ITU-T T.81) are damaged, which Pillow does not report. Codes and
 * lengths are followed; nothing is decoded. See _jpeg.pyi. */
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { UNKNOWN, WHOLE, DAMAGED };
enum { SOF0 = 0xC0, SOF1 = 0xC1, DHT = 0xC4, RST0 = 0xD0, RST7 = 0xD7, SOI = 0xD8, EOI = 0xD9, SOS = 0xDA, DRI = 0xDD };
enum { COMPONENTS = 4, TABLES = 4, LONGEST_CODE = 16, SHORT_CODE = 9, BLOCK = 64, ZEROS = 15 };
enum { MOST_AT_ONCE = 32 }; /* bits of a code and of the value behind it */
/* Octets allowed behind the last pixel: some cameras append a few. */
enum { MOST_FILLING = 8 };

struct table {
    int defined;
    uint16_t codes[1 << LONGEST_CODE]; /* by the next 16 bits: length << 8 | symbol; 0: no code */
    uint16_t short_codes[1 << SHORT_CODE]; /* by the next 9 bits, enough for most codes; 0: longer */
};

struct component {
    int id, across, down, dc, ac;
};

struct picture {
    const uint8_t *at, *end;
    int width, rows, count, most_across, most_down;
    struct component components[COMPONENTS];
    long interval; /* units between restarts; 0 for none */
    struct table (*tables)[TABLES]; /* for first coefficients (DC), for others (AC) */
};

struct bits {
    const uint8_t *at, *end;
    uint64_t held;
    int count;  /* bits held */
    int beyond; /* how many of them lie behind the data */
};

static int two(const uint8_t *at)
{
    return at[0] << 8 | at[1];
}

static void fill(struct bits *bits)
{
    if (bits->end - bits->at > 4) {
        const uint8_t *at = bits->at;
        uint32_t four = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
        if (((~four - 0x01010101u) & four & 0x80808080u) == 0) { /* no octet is FF */
            bits->held = bits->held << 32 | four;
            bits->at += 4;
            bits->count += 32;
            return;
        }
    }
    while (bits->count <= 48) {
        uint8_t octet = 0;

        if (bits->end - bits->at >= 2 && (bits->at[0] != 0xFF || bits->at[1] == 0)) {
            octet = *bits->at;
            bits->at += octet == 0xFF ? 2 : 1;
        } else {
            bits->beyond += 8;
        }
        bits->held = bits->held << 8 | octet;
        bits->count += 8;
    }
}

/* Reads a code and skips the bits of its value, whose number is in the bits `announces` of the symbol. Returns the
 * symbol, or -1 if there is none. */
static inline int symbol(struct bits *bits, const struct table *table, int announces)
{
    unsigned code;

    if (bits->count < MOST_AT_ONCE)
        fill(bits);
    code = table->short_codes[bits->held >> (bits->count - SHORT_CODE) & ((1 << SHORT_CODE) - 1)];
    if (code == 0)
        code = table->codes[bits->held >> (bits->count - LONGEST_CODE) & 0xFFFF];
    bits->count -= (int)(code >> 8) + (int)(code & (unsigned)announces);
    return code != 0 && bits->count >= bits->beyond ? (int)(code & 0xFF) : -1;
}

static int block(struct bits *bits, const struct table *dc, const struct table *ac)
{
    int found = symbol(bits, dc, 31);

    if (found < 0 || found > 16)
        return 0;
    for (int k = 1; k < BLOCK; k++) {
        int zeros, length;

        if ((found = symbol(bits, ac, 15)) < 0)
            return 0;
        zeros = found >> 4, length = found & 15;
        if (length == 0 && zeros != ZEROS)
            return 1; /* end of block */
        k += zeros;
        if (k > BLOCK - (length != 0))
            return 0;
    }
    return 1;
}

/* Skips to the next marker. Returns whether at most `most` octets of data were skipped. */
static int at_marker(struct bits *bits, int most)
{
    int left = (bits->count - bits->beyond) / 8;

    while (bits->end - bits->at >= 2 && (bits->at[0] != 0xFF || bits->at[1] == 0 || bits->at[1] == 0xFF)) {
        left += bits->at[0] != 0xFF;
        bits->at++;
    }
    bits->held = 0, bits->count = bits->beyond = 0;
    return left <= most;
}

static int define_tables(struct picture *picture, const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 1 + LONGEST_CODE) {
        int kind = at[0] >> 4, number = at[0] & 15;
        const uint8_t *lengths = at + 1, *symbols = at + 1 + LONGEST_CODE;
        uint32_t code = 0;
        struct table *table;

        if (kind > 1 || number >= TABLES)
            return 0;
        table = &picture->tables[kind][number];
        memset(table, 0, sizeof *table);
        table->defined = 1;
        for (int length = 1; length <= LONGEST_CODE; length++) {
            for (int i = 0; i < lengths[length - 1]; i++, symbols++) {
                uint32_t first = code << (LONGEST_CODE - length), many = 1u << (LONGEST_CODE - length);

                if (symbols >= end || first + many > 1u << LONGEST_CODE)
                    return 0;
                for (uint32_t each = first; each < first + many; each++)
                    table->codes[each] = (uint16_t)(length << 8 | *symbols);
                for (uint32_t each = first; each < first + many && length <= SHORT_CODE;
                     each += 1 << (LONGEST_CODE - SHORT_CODE))
                    table->short_codes[each >> (LONGEST_CODE - SHORT_CODE)] = (uint16_t)(length << 8 | *symbols);
                code++;
            }
            code <<= 1;
        }
        at = symbols;
    }
    return at == end;
}

static int define_frame(struct picture *picture, const uint8_t *at, const uint8_t *end)
{
    if (end - at < 6)
        return 0;
    picture->rows = two(at + 1), picture->width = two(at + 3), picture->count = at[5];
    if (!picture->rows || !picture->width || picture->count < 1 || picture->count > COMPONENTS
        || end - at < 6 + 3 * picture->count)
        return 0;
    for (int i = 0; i < picture->count; i++) {
        struct component *each = &picture->components[i];

        each->id = at[6 + 3 * i], each->across = at[7 + 3 * i] >> 4, each->down = at[7 + 3 * i] & 15;
        if (each->across < 1 || each->across > 4 || each->down < 1 || each->down > 4)
            return 0;
        if (each->across > picture->most_across)
            picture->most_across = each->across;
        if (each->down > picture->most_down)
            picture->most_down = each->down;
    }
    return 1;
}

static long ceiling(long number, long divisor)
{
    return (number + divisor - 1) / divisor;
}

/* Checks one scan, whose header is from `at` to `end`; leaves the picture at the marker behind it. */
static int scan(struct picture *picture, const uint8_t *at, const uint8_t *end)
{
    struct component *shown[COMPONENTS];
    struct bits bits = {end, picture->end, 0, 0, 0};
    int count = at < end ? at[0] : 0, next = 0;
    long units;

    if (count < 1 || count > picture->count || end - at < 1 + 2 * count)
        return UNKNOWN;
    for (int i = 0; i < count; i++) {
        shown[i] = NULL;
        for (int j = 0; j < picture->count; j++)
            if (picture->components[j].id == at[1 + 2 * i])
                shown[i] = &picture->components[j];
        if (!shown[i])
            return UNKNOWN;
        shown[i]->dc = at[2 + 2 * i] >> 4, shown[i]->ac = at[2 + 2 * i] & 15;
        if (shown[i]->dc >= TABLES || shown[i]->ac >= TABLES || !picture->tables[0][shown[i]->dc].defined
            || !picture->tables[1][shown[i]->ac].defined)
            return UNKNOWN;
    }
    if (count == 1) /* T.81 A.2.2: a unit is one block of the component */
        units = ceiling(ceiling((long)picture->width * shown[0]->across, picture->most_across), 8)
                * ceiling(ceiling((long)picture->rows * shown[0]->down, picture->most_down), 8);
    else
        units = ceiling(picture->width, 8L * picture->most_across) * ceiling(picture->rows, 8L * picture->most_down);
    for (long unit = 0; unit < units; unit++) {
        if (picture->interval && unit && unit % picture->interval == 0) {
            if (!at_marker(&bits, 0) || bits.end - bits.at < 2 || bits.at[1] != RST0 + next)
                return DAMAGED;
            bits.at += 2;
            next = (next + 1) % 8;
        }
        for (int i = 0; i < count; i++) {
            int blocks = count == 1 ? 1 : shown[i]->across * shown[i]->down;

            for (int j = 0; j < blocks; j++)
                if (!block(&bits, &picture->tables[0][shown[i]->dc], &picture->tables[1][shown[i]->ac]))
                    return DAMAGED;
        }
    }
    if (!at_marker(&bits, MOST_FILLING))
        return DAMAGED;
    picture->at = bits.at;
    return WHOLE;
}

static int examined(struct picture *picture)
{
    if (picture->end - picture->at < 2 || two(picture->at) != (0xFF00 | SOI))
        return UNKNOWN;
    picture->at += 2;
    for (int scans = 0;;) {
        const uint8_t *at;
        int marker, known = 1;

        while (picture->end - picture->at >= 2 && picture->at[0] == 0xFF && picture->at[1] == 0xFF)
            picture->at++;
        if (picture->end - picture->at < 2 || picture->at[0] != 0xFF)
            return scans ? DAMAGED : UNKNOWN;
        marker = picture->at[1];
        if (marker == EOI)
            return scans ? WHOLE : UNKNOWN;
        if (marker >= RST0 && marker <= RST7)
            return DAMAGED;
        at = picture->at + 2;
        if (picture->end - at < 2 || picture->end - at < two(at) || two(at) < 2)
            return UNKNOWN;
        picture->at = at + two(at);
        at += 2;
        if (marker == SOS) {
            int found = picture->count && scans++ < COMPONENTS ? scan(picture, at, picture->at) : UNKNOWN;

            if (found != WHOLE)
                return found;
        } else if (marker == DHT) {
            known = define_tables(picture, at, picture->at);
        } else if (marker == SOF0 || marker == SOF1) {
            known = !picture->count && define_frame(picture, at, picture->at);
        } else if (marker == DRI && picture->at - at >= 2) {
            picture->interval = two(at);
        } else if ((marker & 0xF0) == 0xC0) {
            return UNKNOWN; /* progressive, arithmetic, lossless */
        }
        if (!known)
            return UNKNOWN;
    }
}

static PyObject *is_damaged(PyObject *module, PyObject *content)
{
    struct picture picture;
    char *octets;
    Py_ssize_t length;
    int found;

    (void)module;
    if (PyBytes_AsStringAndSize(content, &octets, &length) < 0)
        return NULL;
    memset(&picture, 0, sizeof picture);
    picture.tables = calloc(2, sizeof *picture.tables);
    if (!picture.tables)
        return PyErr_NoMemory();
    picture.at = (const uint8_t *)octets, picture.end = picture.at + length;
    Py_BEGIN_ALLOW_THREADS
    found = examined(&picture);
    Py_END_ALLOW_THREADS
    free(picture.tables);
    return PyBool_FromLong(found == DAMAGED);
}

static PyMethodDef methods[] = {
    {"is_damaged", is_damaged, METH_O, "See _jpeg.pyi."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_jpeg", "See _jpeg.pyi.", 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__jpeg(void)
{
    return PyModuleDef_Init(&definition);
}
