/* Planes of grey from the pixels of a page: luma, grey for finding type, and what its type changes. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

WIDE int mark_levels(uint8_t *restrict line, const uint8_t *restrict level, uint8_t least, uint8_t most,
                     ptrdiff_t width)
{
    uint8_t some = 0;
    for (ptrdiff_t x = 0; x < width; x++) {
        line[x] = (level[x] >= least) & (level[x] <= most);
        some |= line[x];
    }
    return some;
}

/* Luma of ITU-R BT.601, in 1/256. */
enum { RED = 77, GREEN = 150, BLUE = 29 };

/* In 16 bits, which hold 256 times the greatest luma and a half. */
static inline uint8_t luma_of(const uint8_t *pixel)
{
    return (uint8_t)((uint16_t)(BLUE * pixel[0] + GREEN * pixel[1] + RED * pixel[2] + 128) >> 8);
}

WIDE static void take_row(uint8_t *restrict types, uint8_t *restrict tones, const uint8_t *restrict row,
                          ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++) {
        uint8_t blue = row[4 * x], green = row[4 * x + 1], red = row[4 * x + 2];
        uint8_t luma = luma_of(row + 4 * x);
        uint8_t least = blue < green ? blue : green;
        least = red < least ? red : least;
        tones[x] = luma;
        types[x] = (uint8_t)((uint16_t)(luma + least) >> 1);
    }
}

WIDE static void take_luma_row(uint8_t *restrict tones, const uint8_t *restrict row, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        tones[x] = luma_of(row + 4 * x);
}

void take_luma(uint8_t *tone, Pixels from, Size size)
{
    for (ptrdiff_t y = 0; y < size.rows; y++)
        if (from.channels == 1)
            memcpy(tone + y * size.width, from.pixels + y * from.stride, (size_t)size.width);
        else
            take_luma_row(tone + y * size.width, from.pixels + y * from.stride, size.width);
}

/* Whether all pixels of a row are equal, as in most empty rows. */
static int is_plain(const uint8_t *row, ptrdiff_t width)
{
    return memcmp(row, row + 4, (size_t)(4 * (width - 1))) == 0;
}

static void take_plane_row(uint8_t *types, uint8_t *tones, const uint8_t *row, int channels, ptrdiff_t width)
{
    if (channels == 1) {
        memcpy(tones, row, (size_t)width);
        if (types != tones)
            memcpy(types, row, (size_t)width);
        return;
    }
    int plain = is_plain(row, width);
    take_row(types, tones, row, plain ? 1 : width);
    if (plain) {
        memset(types, types[0], (size_t)width);
        memset(tones, tones[0], (size_t)width);
    }
}

void take_planes(uint8_t *type, uint8_t *tone, Pixels from, Size size)
{
    size_t octets = (size_t)(size.width * from.channels), width = (size_t)size.width;
    for (ptrdiff_t y = 0; y < size.rows; y++, type += width, tone += width, from.pixels += from.stride) {
        if (y == 0 || memcmp(from.pixels, from.pixels - from.stride, octets) != 0) {
            take_plane_row(type, tone, from.pixels, from.channels, size.width);
            continue;
        }
        memcpy(tone, tone - width, width); /* as the row above */
        if (type != tone)
            memcpy(type, type - width, width);
    }
}

/* The greatest difference of the channels of two rows, where the first is darker and where it is lighter. */
WIDE static void take_differing(uint8_t *restrict darker, uint8_t *restrict lighter, const uint8_t *restrict a,
                                const uint8_t *restrict b, ptrdiff_t count)
{
    for (ptrdiff_t x = 0; x < count; x++) {
        uint8_t blue = difference(a[4 * x], b[4 * x]), green = difference(a[4 * x + 1], b[4 * x + 1]);
        uint8_t red = difference(a[4 * x + 2], b[4 * x + 2]), most = blue > green ? blue : green;
        most = red > most ? red : most;
        uint8_t is_darker = luma_of(a + 4 * x) <= luma_of(b + 4 * x);
        darker[x] = is_darker ? most : 0;
        lighter[x] = is_darker ? 0 : most;
    }
}

WIDE static void take_differing_grey(uint8_t *restrict darker, uint8_t *restrict lighter, const uint8_t *restrict a,
                                     const uint8_t *restrict b, ptrdiff_t count)
{
    for (ptrdiff_t x = 0; x < count; x++) {
        darker[x] = excess(b[x], a[x]);
        lighter[x] = excess(a[x], b[x]);
    }
}

/* ``at``: the first of ``width`` pixels in the planes. */
static void take_under_row(const Band *band, ptrdiff_t at, const uint8_t *with, const uint8_t *without, ptrdiff_t width)
{
    enum { PIECE = 32 }; /* pixels compared at once, as most of a page is the same */
    int channels = band->from.channels;
    if (memcmp(with, without, (size_t)(width * channels)) == 0)
        return;
    for (ptrdiff_t x = 0; x < width; x += PIECE) {
        ptrdiff_t count = width - x < PIECE ? width - x : PIECE;
        const uint8_t *one = with + x * channels, *other = without + x * channels;
        if (memcmp(one, other, (size_t)(count * channels)) == 0)
            continue;
        take_plane_row(band->under_type + at + x, band->under_tone + at + x, other, channels, count);
        if (channels == 4)
            take_differing(band->dark_type + at + x, band->light_type + at + x, one, other, count);
        else
            take_differing_grey(band->dark_type + at + x, band->light_type + at + x, one, other, count);
    }
}

void take_under(const Band *band, Pixels without)
{
    Size size = band->size;
    for (const Box *box = band->type_boxes; box < band->type_boxes + band->type_count; box++) {
        size_t octets = (size_t)(size.width * (box->below - box->top));
        memset(band->dark_type + box->top * size.width, 0, octets);
        memset(band->light_type + box->top * size.width, 0, octets);
        for (ptrdiff_t y = box->top; y < box->below; y++) {
            ptrdiff_t at = y * without.stride + box->left * without.channels;
            take_under_row(band, y * size.width + box->left, band->from.pixels + at, without.pixels + at,
                           box->right - box->left);
        }
    }
}
