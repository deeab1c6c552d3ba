/* Parts tints of a picture that differ in colour alone, such as the sectors of a scanned chart: drawn as lines they are
 * one area. In drawings they have patterns (patterns.c), which the noise of a picture forbids. */
#include "sheet.h"

#include <stdlib.h>

/* The colours REACH pixels to either side are compared, each the mean of three pixels: a JPEG file blurs them over
 * eight. They are apart when red or blue less green differs by HUES_APART levels. */
enum { REACH = 8, HUES_APART = 60, MEAN_OF = 3, GAP_REACH = 5 };

typedef struct {
    int red, blue; /* less green, summed over MEAN_OF pixels */
} Hue;

/* The hue at a pixel and those before and after it, ``step`` octets away. */
static Hue hue_at(const uint8_t *pixel, ptrdiff_t step)
{
    int green = pixel[1 - step] + pixel[1] + pixel[1 + step];
    return (Hue){pixel[2 - step] + pixel[2] + pixel[2 + step] - green, pixel[-step] + pixel[0] + pixel[step] - green};
}

static int apart(Hue one, Hue other)
{
    int red = abs(one.red - other.red), blue = abs(one.blue - other.blue);
    return red > blue ? red : blue;
}

/* Whether a pixel has the hue of what is REACH steps of ``along`` octets behind it, rather than before it. */
static int is_of_next(const uint8_t *pixel, ptrdiff_t along, ptrdiff_t across)
{
    Hue here = hue_at(pixel, across);
    return apart(here, hue_at(pixel - REACH * along, across)) > apart(here, hue_at(pixel + REACH * along, across));
}

static int is_border(const uint8_t *pixel, ptrdiff_t along, ptrdiff_t across)
{
    Hue before = hue_at(pixel - REACH * along, across), after = hue_at(pixel + REACH * along, across);
    return apart(before, after) >= MEAN_OF * HUES_APART && is_of_next(pixel, along, across)
           && !is_of_next(pixel - along, along, across);
}

/* Whether a light gap parts the two already. */
static int is_gap(const Band *band, const uint8_t *level, ptrdiff_t x, ptrdiff_t y)
{
    ptrdiff_t width = band->size.width;
    for (ptrdiff_t each = -GAP_REACH; each <= GAP_REACH; each++) {
        ptrdiff_t beside = y * width + x + each, stacked = (y + each) * width + x;
        if (band->under_tone[beside] - level[beside] >= GAP_LIGHTER
            || band->under_tone[stacked] - level[stacked] >= GAP_LIGHTER)
            return 1;
    }
    return 0;
}

static int is_drawn(int kind)
{
    return kind != WHITE_TINT && kind != BLACK_TINT;
}

void part_hues(const Band *band, const Mask *black, const uint8_t *level, const Mask *near_type, const uint8_t *kinds)
{
    ptrdiff_t width = band->size.width, rows = band->size.rows, stride = band->from.stride, edge = REACH + 1;
    if (!band->ground->raster || band->from.channels != 4)
        return;
    for (ptrdiff_t y = edge; y < rows - edge; y++) {
        const uint8_t *row = level + y * width;
        for (ptrdiff_t x = edge; x < width - edge; x++) {
            if (!is_drawn(kinds[row[x]]) || is_marked(near_type, x, y) || is_marked(&band->photo, x, y))
                continue;
            const uint8_t *pixel = band->from.pixels + y * stride + 4 * x;
            int beside = is_drawn(kinds[row[x - REACH]]) && is_drawn(kinds[row[x + REACH]]);
            int stacked = is_drawn(kinds[row[x - REACH * width]]) && is_drawn(kinds[row[x + REACH * width]]);
            if (((beside && is_border(pixel, 4, stride)) || (stacked && is_border(pixel, stride, 4)))
                && !is_gap(band, level, x, y))
                mark(black, x, y);
        }
    }
}
