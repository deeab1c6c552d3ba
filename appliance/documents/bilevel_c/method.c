/* Putting it together: which pixel is black. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* Light type stands in a black box of its letters grown by so much, closed over the gaps of a word. */
enum { BOX_ACROSS = 15, BOX_DOWN = 11, BOX_CLOSED_ACROSS = 25, BOX_CLOSED_DOWN = 9 };
/* Tints stay away from type: so far beside it and above and below, closed over the gaps between words. */
enum { CLEAR_ACROSS = 19, CLEAR_DOWN = 15, CLEAR_CLOSED = 41 };
/* Round dark type on a photograph. */
enum { HALO = 7 };
/* The box of light type ends where the paper is white; that of a picture has noise, and no tint as light as this
 * has light type. */
enum { BARE_PAPER = 248, BARE_IN_NOISE = 225 };
/* Specks of a scan, pixels. */
enum { SPECK = 4 };

static int odd(int length, int dpi, int base)
{
    int scaled = (length * dpi + base / 2) / base;
    return scaled < 1 ? 1 : scaled | 1;
}

int pixels_across(const Band *band, int length)
{
    return odd(length, band->ground->x_dpi, 204);
}

int pixels_down(const Band *band, int length)
{
    return odd(length, band->ground->y_dpi, 196);
}

static int widen_scaled(const Band *band, uint8_t *mask, int across, int down)
{
    return widen_light(mask, band->size, pixels_across(band, across), pixels_down(band, down));
}

static int close_scaled(const Band *band, uint8_t *mask, int across, int down)
{
    return without_dark(mask, band->size, pixels_across(band, across), pixels_down(band, down));
}

/* A tint no wider than this one way is a bar: all of it becomes black when light type stands in it. */
enum { BAR = 151, SAME_LEVEL = 6, SAME_IN_NOISE = 14, MENDED = 9, BAR_BELOW = 215, UNCERTAIN_BAR_BELOW = 165 };

/* Below ``below`` and about as light as the pixels to the left and above. */
WIDE static void mark_tint(uint8_t *restrict tint, const uint8_t *level, const uint8_t *left, const uint8_t *above,
                           const uint8_t *photo, int below, int same, size_t count)
{
    uint8_t under = (uint8_t)below, near = (uint8_t)same;
    for (size_t at = 0; at < count; at++) {
        uint8_t here = level[at];
        uint8_t across = here > left[at] ? here - left[at] : left[at] - here;
        uint8_t down = here > above[at] ? here - above[at] : above[at] - here;
        tint[at] = (here < under) & (across <= near) & (down <= near) & (photo[at] == 0);
    }
}

WIDE static void keep_bars(uint8_t *restrict bar, const uint8_t *restrict tint, const uint8_t *restrict clear, size_t count)
{
    for (size_t at = 0; at < count; at++)
        bar[at] = tint[at] & (bar[at] == 0) & (clear[at] == 0);
}

static int fill_bars(const Band *band, uint8_t *box, const uint8_t *level, const uint8_t *clear)
{
    Size size = band->size;
    size_t octets = (size_t)(size.width * size.rows);
    uint8_t *tint = malloc(octets), *bar = malloc(octets);
    int failed = tint == NULL || bar == NULL;
    int same = band->ground->scanned ? SAME_IN_NOISE : SAME_LEVEL;
    int below = band->dark_type != NULL ? BAR_BELOW : UNCERTAIN_BAR_BELOW;
    if (!failed) {
        size_t width = (size_t)size.width;
        tint[0] = level[0] < below && !band->photo[0];
        mark_tint(tint + 1, level + 1, level, level + 1, band->photo + 1, below, same, width - 1);
        mark_tint(tint + width, level + width, level + width - 1, level, band->photo + width, below, same, octets - width);
        if (band->ground->raster) /* its noise makes steps of its own */
            failed = close_scaled(band, tint, MENDED, MENDED) < 0;
        for (int down = 0; down < 2 && !failed; down++) {
            memcpy(bar, tint, octets);
            failed = without_light(bar, size, down ? pixels_across(band, BAR) : 1, down ? 1 : pixels_down(band, BAR)) < 0;
            keep_bars(bar, tint, clear, octets);
            sweep(box, bar, size, down);
            sweep(box, bar, size, !down);
        }
    }
    free(tint);
    free(bar);
    return failed ? -1 : 0;
}

WIDE static void keep_boxes(uint8_t *restrict box, const uint8_t *ground, const uint8_t *photo, const uint8_t *clear,
                            const uint8_t *light, int bare, size_t count)
{
    uint8_t white = (uint8_t)bare;
    for (size_t at = 0; at < count; at++)
        box[at] &= ((ground[at] < white) | photo[at]) & ((clear[at] == 0) | light[at]);
}

/* ``light`` is what is light type; black round it, the letters white. */
static int set_off(const Band *band, uint8_t *black, const uint8_t *light, const uint8_t *level,
                   const uint8_t *clear, uint8_t *box)
{
    size_t octets = (size_t)(band->size.width * band->size.rows);
    memcpy(box, light, octets);
    if (widen_scaled(band, box, BOX_ACROSS, BOX_DOWN) < 0
        || close_scaled(band, box, BOX_CLOSED_ACROSS, BOX_CLOSED_DOWN) < 0)
        return -1;
    const uint8_t *ground = band->under_type;
    keep_boxes(box, ground, band->photo, clear, light, band->dark_type != NULL ? BARE_PAPER : BARE_IN_NOISE, octets);
    if (fill_bars(band, box, level, clear) < 0)
        return -1;
    for (size_t at = 0; at < octets; at++)
        black[at] = (uint8_t)((black[at] | box[at]) & !light[at]);
    return 0;
}

/* Lines that are not type, where they meet it: pale ones part round it; broad pale ones (roads of a map) and upright
 * pale ones that touch it keep away as tints do; and of thin upright ones, whatever their grey, a letter stands out
 * by its rim: the trace of an ECG through a label.  Lines that lie across stay: they may strike the words out. */
enum { PALE_LINE = 110, BROAD = 9, UPRIGHT = 31, THIN = 5, RIM_ACROSS = 5, RIM_DOWN = 3 };

WIDE static void part_where(uint8_t *restrict black, const uint8_t *restrict around, const uint8_t *restrict lines,
                            size_t count)
{
    for (size_t at = 0; at < count; at++)
        black[at] &= (around[at] & lines[at]) ^ 1;
}

WIDE static void take_pale(uint8_t *restrict pale, const uint8_t *black, const uint8_t *closed, const uint8_t *tone,
                           size_t count)
{
    for (size_t at = 0; at < count; at++) {
        uint8_t depth = closed[at] > tone[at] ? closed[at] - tone[at] : 0;
        pale[at] = black[at] & (depth < PALE_LINE);
    }
}

WIDE static void leave_out(uint8_t *restrict marked, const uint8_t *restrict out, size_t count)
{
    for (size_t at = 0; at < count; at++)
        marked[at] &= out[at] ^ 1;
}

/* ``upright`` are the pixels of ``lines`` in upright runs, of lines up to ``widest``; ``wide`` is scratch. */
static int take_upright(const Band *band, uint8_t *upright, uint8_t *wide, const uint8_t *lines, int widest)
{
    size_t octets = (size_t)(band->size.width * band->size.rows);
    memcpy(upright, lines, octets);
    memcpy(wide, lines, octets);
    if (without_light(upright, band->size, 1, pixels_down(band, UPRIGHT)) < 0
        || without_light(wide, band->size, pixels_across(band, widest + 2), 1) < 0)
        return -1;
    leave_out(upright, wide, octets);
    return 0;
}

/* ``clear`` is the type ``dark`` grown as tints keep away from it. */
static int part_lines(const Band *band, uint8_t *black, const uint8_t *dark, const uint8_t *clear)
{
    Size size = band->size;
    size_t octets = (size_t)(size.width * size.rows);
    uint8_t *around = malloc(4 * octets), *lines = around + octets, *upright = lines + octets, *touching = upright + octets;
    int failed = around == NULL;
    if (!failed) {
        memcpy(around, dark, octets);
        take_pale(lines, black, band->closed, band->under_tone, octets);
        failed = widen_scaled(band, around, HALO, HALO) < 0 || take_upright(band, upright, touching, lines, BROAD) < 0;
    }
    if (!failed) {
        part_where(black, around, lines, octets);
        failed = without_light(lines, size, pixels_across(band, BROAD), pixels_down(band, BROAD)) < 0;
    }
    if (!failed) {
        for (size_t at = 0; at < octets; at++) {
            lines[at] = (lines[at] | upright[at]) & clear[at];
            touching[at] = lines[at] & around[at];
        }
        for (int round = 0; round < 2; round++) {
            sweep(touching, lines, size, 1);
            sweep(touching, lines, size, 0);
        }
        leave_out(black, touching, octets);
        memcpy(around, dark, octets);
        failed = take_upright(band, lines, upright, black, THIN) < 0
                 || widen_scaled(band, around, RIM_ACROSS, RIM_DOWN) < 0;
    }
    if (!failed)
        part_where(black, around, lines, octets);
    free(around);
    return failed ? -1 : 0;
}

WIDE static void take_ink(uint8_t *restrict black, const uint8_t *ink, const uint8_t *photo, const uint8_t *light,
                          size_t count)
{
    for (size_t at = 0; at < count; at++)
        black[at] = ink[at] & (photo[at] == 0) & (light[at] == 0);
}

/* Codes are ink and paper: no light type stands in them, no tint, and no line goes round their modules. */
WIDE static void take_codes(const uint8_t *restrict codes, uint8_t *restrict light, uint8_t *restrict level, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        light[at] &= codes[at] ^ 1;
        level[at] |= (uint8_t)-codes[at];
    }
}

WIDE static void add(uint8_t *restrict marked, const uint8_t *restrict also, size_t count)
{
    for (size_t at = 0; at < count; at++)
        marked[at] |= also[at];
}

int make_bilevel(Band *band, uint8_t *black)
{
    size_t octets = (size_t)(band->size.width * band->size.rows);
    uint8_t *level = malloc(octets), *clear = malloc(octets), *light = malloc(octets), *dark = malloc(octets);
    uint8_t *codes = NULL; /* where there are any */
    int failed = level == NULL || clear == NULL || light == NULL || dark == NULL;
    memset(black, 0, octets);
    mark_photographs(band);
    failed = failed || level_band(band) < 0;
    if (!failed) {
        memcpy(level, band->closed, octets);
        failed = without_light(level, band->size, pixels_across(band, STROKE), pixels_down(band, STROKE)) < 0
                 || find_ink(band, clear) < 0;
    }
    int known = band->dark_type != NULL;
    if (!failed) {
        if (known)
            failed = find_type(band, dark, light) < 0;
        else {
            memset(dark, 0, octets);
            failed = find_light_type(band, light, clear, level) < 0 || (codes = malloc(octets)) == NULL
                     || find_codes(band, codes, clear) < 0;
            if (!failed)
                take_codes(codes, light, level, octets);
        }
    }
    if (!failed) {
        const uint8_t *ink = clear; /* what was drawn; then what tints keep away from */
        take_ink(black, ink, band->photo, light, octets);
        if (known) {
            memcpy(clear, dark, octets);
            failed = any_set(dark, octets)
                     && (widen_scaled(band, clear, CLEAR_ACROSS, CLEAR_DOWN) < 0 || part_lines(band, black, dark, clear) < 0);
        }
        for (size_t at = 0; at < octets; at++)
            black[at] |= dark[at];
        if (band->ground->scanned)
            remove_specks(black, band->size, band->ground->y_dpi < 150 ? SPECK / 2 : SPECK);
        if (!known) {
            memcpy(dark, black, octets);
            memcpy(clear, dark, octets);
            failed = widen_scaled(band, clear, CLEAR_ACROSS, CLEAR_DOWN) < 0;
            add(clear, codes, octets);
            add(dark, codes, octets);
        }
        failed = failed || (any_set(clear, octets) && close_scaled(band, clear, CLEAR_CLOSED, 1) < 0);
    }
    uint8_t *halo = dark;
    failed = failed || widen_scaled(band, halo, HALO, HALO) < 0;
    if (!failed && any_set(band->photo, octets)) {
        uint8_t *screened = malloc(octets);
        failed = screened == NULL;
        if (!failed) {
            screen_photographs(band, screened);
            for (size_t at = 0; at < octets; at++)
                if (band->photo[at] && !(known && halo[at]))
                    black[at] = screened[at];
        }
        free(screened);
    }
    if (!failed && band->ground->tones != TONES_EVERYWHERE)
        failed = hatch(band, black, level, clear, halo) < 0;
    if (!failed && any_set(light, octets))
        failed = set_off(band, black, light, level, clear, dark) < 0;
    free(level);
    free(clear);
    free(light);
    free(dark);
    free(codes);
    return failed ? -1 : 0;
}
