/* The ground that everything stands on: dark screens turned round, paper made white, photographs found. */
#include "sheet.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Luma of ITU-R BT.601, in 1/256. */
enum { RED = 77, GREEN = 150, BLUE = 29 };

static inline int luma_of(const uint8_t *pixel)
{
    return (BLUE * pixel[0] + GREEN * pixel[1] + RED * pixel[2] + 128) >> 8;
}

WIDE static void take_row(uint8_t *restrict types, uint8_t *restrict tones, const uint8_t *restrict row, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++) {
        uint32_t blue = row[4 * x], green = row[4 * x + 1], red = row[4 * x + 2];
        uint32_t luma = (BLUE * blue + GREEN * green + RED * red + 128) >> 8;
        uint32_t least = blue < green ? blue : green;
        least = red < least ? red : least;
        tones[x] = (uint8_t)luma;
        types[x] = (uint8_t)((luma + least) >> 1);
    }
}

WIDE static void take_luma_row(uint8_t *restrict tones, const uint8_t *restrict row, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        tones[x] = (uint8_t)((BLUE * (uint32_t)row[4 * x] + GREEN * (uint32_t)row[4 * x + 1] + RED * (uint32_t)row[4 * x + 2] + 128) >> 8);
}

void take_luma(uint8_t *tone, Pixels from, Size size)
{
    for (ptrdiff_t y = 0; y < size.rows; y++)
        take_luma_row(tone + y * size.width, from.pixels + y * from.stride, size.width);
}

void take_planes(uint8_t *type, uint8_t *tone, Pixels from, Size size)
{
    for (ptrdiff_t y = 0; y < size.rows; y++) {
        const uint8_t *row = from.pixels + y * from.stride;
        uint8_t *types = type + y * size.width, *tones = tone + y * size.width;
        if (from.channels == 1) {
            memcpy(tones, row, (size_t)size.width);
            if (types != tones)
                memcpy(types, row, (size_t)size.width);
            continue;
        }
        take_row(types, tones, row, size.width);
    }
}

static void take_differing(uint8_t *darker, uint8_t *lighter, const uint8_t *a, const uint8_t *b, int channels,
                           ptrdiff_t count)
{
    for (ptrdiff_t x = 0; x < count; x++, a += channels, b += channels) {
        int most = 0;
        for (int channel = 0; channel < (channels == 1 ? 1 : 3); channel++) {
            int differ = abs(a[channel] - b[channel]);
            most = differ > most ? differ : most;
        }
        if (most == 0)
            continue;
        int is_darker = channels == 1 ? a[0] < b[0] : luma_of(a) <= luma_of(b);
        *(is_darker ? darker + x : lighter + x) = (uint8_t)most;
    }
}

void take_difference(uint8_t *dark, uint8_t *light, Pixels with, Pixels without, Size size)
{
    enum { PIECE = 32 }; /* pixels compared at once: most of a page is the same */
    memset(dark, 0, (size_t)(size.width * size.rows));
    memset(light, 0, (size_t)(size.width * size.rows));
    for (ptrdiff_t y = 0; y < size.rows; y++) {
        const uint8_t *one = with.pixels + y * with.stride, *other = without.pixels + y * without.stride;
        if (memcmp(one, other, (size_t)(size.width * with.channels)) == 0)
            continue;
        for (ptrdiff_t x = 0; x < size.width; x += PIECE) {
            ptrdiff_t count = size.width - x < PIECE ? size.width - x : PIECE, at = x * with.channels;
            if (memcmp(one + at, other + at, (size_t)(count * with.channels)) != 0)
                take_differing(dark + y * size.width + x, light + y * size.width + x, one + at, other + at,
                               with.channels, count);
        }
    }
}

int rows_of_tile(int y_dpi)
{
    return y_dpi < COARSE_DPI ? TILE / 2 : TILE;
}

Size tiles_of(Size size, int y_dpi)
{
    int rows = rows_of_tile(y_dpi);
    return (Size){(size.width + TILE - 1) / TILE, (size.rows + rows - 1) / rows};
}

/* -- survey ----------------------------------------------------------------------------------- */

/* A tile with so much of about one tone, in steps of 4 levels, is flat: a tint, or the ground of type. */
enum { FLAT_PERCENT = 48, FLAT_STEPS = 5 };
enum { PAPER_PERCENTILE = 90, NEAR_PAPER = 85, MOST_NOISE = 32 };

/* The level up to which there is more than so much of ``count`` pixels. */
static int percentile_of(const uint16_t histogram[256], uint32_t count, uint32_t percent)
{
    int level = 255;
    uint32_t below = count - histogram[255]; /* of lower level; most tiles are bright */
    while (level > 0 && below * 100 > count * percent)
        below -= histogram[--level];
    return level;
}

static int is_white(const uint8_t *plane, ptrdiff_t stride, ptrdiff_t rows)
{
    uint8_t white[TILE];
    memset(white, 255, sizeof white);
    for (ptrdiff_t y = 0; y < rows; y++)
        if (memcmp(plane + y * stride, white, TILE) != 0)
            return 0;
    return 1;
}

/* A tile of nothing but white, which most are, is soon told. */
static int survey_white(Ground *ground, const Band *band, ptrdiff_t left, ptrdiff_t top, Tile *tile)
{
    Box content = ground->content;
    ptrdiff_t width = band->size.width, at = (top - band->first) * width + left;
    int rows = rows_of_tile(ground->y_dpi);
    enum { LOOKED_AT = TILE / 2 * (TILE / 2) };
    if (left < content.left || top < content.top || left + TILE > content.right || top + rows > content.below
        || !is_white(band->type + at, width, rows)
        || (band->tone != band->type && !is_white(band->tone + at, width, rows)))
        return 0;
    tile->looked_at = tile->tones[STEPS - 1] = LOOKED_AT;
    ground->levels[255] += LOOKED_AT;
    tile->paper_type = tile->paper_tone = tile->middle = 255;
    return 1;
}

/* Every other pixel of every other row is looked at, of each row at standard resolution. */
static void survey_tile(Ground *ground, const Band *band, ptrdiff_t left, ptrdiff_t top, Tile *tile)
{
    uint16_t types[256] = {0}, tones[256] = {0}, differences[MOST_NOISE] = {0};
    ptrdiff_t width = band->size.width;
    Box content = ground->content;
    uint32_t count = 0, near = 0;
    int rows = rows_of_tile(ground->y_dpi), every = 2 * rows / TILE;
    memset(tile, 0, sizeof *tile);
    if (survey_white(ground, band, left, top, tile))
        return;
    for (ptrdiff_t y = top > content.top ? top : content.top; y < top + rows && y < content.below; y += every) {
        const uint8_t *type = band->type + (y - band->first) * width;
        const uint8_t *tone = band->tone + (y - band->first) * width;
        for (ptrdiff_t x = left > content.left ? left : content.left; x < left + TILE && x < content.right; x += 2) {
            types[type[x]]++;
            tones[tone[x]]++;
            count++;
        }
    }
    tile->looked_at = (uint16_t)count;
    if (count == 0)
        return;
    enum { LEVELS = 256 / STEPS }; /* in a step */
    for (int level = 0; level < 256; level++)
        ground->levels[level] += types[level];
    for (int step = 0; step < STEPS; step++)
        for (int each = 0; each < LEVELS; each++)
            tile->tones[step] = (uint16_t)(tile->tones[step] + tones[step * LEVELS + each]);
    tile->paper_type = (uint8_t)percentile_of(types, count, PAPER_PERCENTILE);
    tile->paper_tone = (uint8_t)percentile_of(tones, count, PAPER_PERCENTILE);
    tile->middle = 255;
    if (types[255] == count || (!ground->raster && (band->from.channels == 1 || ground->tones == TONES_NONE)))
        return; /* of black on white, and where there are no photographs, no more is asked */
    uint32_t most = 0;
    for (int step = 0; step + FLAT_STEPS <= STEPS; step++) {
        uint32_t near = 0;
        for (int each = step; each < step + FLAT_STEPS; each++)
            near += tile->tones[each];
        most = near > most ? near : most;
    }
    tile->photo = ground->tones == TONES_BY_CONTENT && most * 100 < count * FLAT_PERCENT
                  && looks_like_photograph(band, left, top - band->first);
    if (!tile->photo)
        note_colours(ground, band,
                     (Box){left > content.left ? left : content.left, top > content.top ? top : content.top,
                           left + TILE < content.right ? left + TILE : content.right,
                           top + rows < content.below ? top + rows : content.below},
                     every);
    if (!ground->raster)
        return; /* a drawn page has no paper, and its own colours */
    for (ptrdiff_t y = top; y < top + rows && y < content.below && y >= content.top; y += every)
        for (ptrdiff_t x = left + 2; x < left + TILE && x < content.right && x - 2 >= content.left; x += 2) {
            const uint8_t *type = band->type + (y - band->first) * width + x;
            int differ = abs(type[0] - type[-2]);
            tile->edges += differ >= MOST_NOISE && tile->edges < 255;
            if (type[0] * 100 > tile->paper_type * NEAR_PAPER && differ < MOST_NOISE) {
                differences[differ]++;
                near++;
            }
        }
    tile->middle = (uint8_t)percentile_of(tones, count, 50);
    if (band->from.channels == 4) {
        int32_t blue = 0, red = 0, looked_at = 0;
        for (ptrdiff_t y = top > content.top ? top : content.top; y < top + rows && y < content.below; y += 2 * every)
            for (ptrdiff_t x = left > content.left ? left : content.left; x < left + TILE && x < content.right; x += 4) {
                const uint8_t *pixel = band->from.pixels + (y - band->first) * band->from.stride + 4 * x;
                blue += pixel[0] - pixel[1];
                red += pixel[2] - pixel[1];
                looked_at++;
            }
        /* For white light: in the shade, and where the paper is darker, colours are weaker. */
        int32_t of = (looked_at ? looked_at : 1) * (tile->paper_tone < 40 ? 40 : tile->paper_tone);
        tile->blue = (int16_t)(blue * 255 / of);
        tile->red = (int16_t)(red * 255 / of);
    }
    uint32_t below = 0;
    int noise = 0;
    while (noise < MOST_NOISE - 1 && (below += differences[noise]) * 2 < near)
        noise++;
    tile->noise = (uint8_t)noise;
}

int survey(Ground *ground, const Band *band, ptrdiff_t from, ptrdiff_t below)
{
    int rows = rows_of_tile(ground->y_dpi);
    for (ptrdiff_t ty = from / rows; ty * rows < below && ty < ground->tiles.rows; ty++)
        for (ptrdiff_t tx = 0; tx < ground->tiles.width; tx++)
            survey_tile(ground, band, tx * TILE, ty * rows, &ground->tile[ty * ground->tiles.width + tx]);
    return 0;
}

/* -- the page as a whole ---------------------------------------------------------------------- */

/* A page whose middle grey is below this and mostly of one grey, with something much lighter on it (in 1/1000
 * of its pixels), is a screen with light type. */
enum { DARK_MEDIAN = 110, DARK_SPREAD = 8, DARK_PERCENT = 45, LIGHT_ABOVE = 60, LIGHT_PERMILLE = 2 };
/* A picture of which less than this is white, or whose middle grey is not, is paper that was scanned. */
enum { PAPER_WHITE = 250, WHITE_PERCENT = 25, LEAST_PAPER = 100 };
/* A page with more photograph than this is no paper. */
enum { PHOTO_PERCENT = 50 };
/* Ink, small pictures and white fields up to so many tiles wide are not the paper. */
enum { PAPER_WIDE = 9 };
/* A box that may hold a photograph is one when so many of its tiles are, or when its tones are many: a chart
 * or a screen has most of its pixels, white apart, in four of 64 steps of grey. */
enum { BOX_PERCENT = 40, FEW = 4, FEW_PERCENT = 50, MIDDLE_PERCENT = 30, FLAT_TONES = 97 };
enum { DARKEST_MIDDLE = 30 * STEPS / 256, LIGHTEST_MIDDLE = 225 * STEPS / 256, NOT_WHITE = 250 * STEPS / 256 };

/* How many of the pixels that are not white are of the most frequent FEW steps; ``coloured`` is how many are not white. */
static uint32_t in_few_tones(const uint32_t tones[STEPS], uint32_t *coloured)
{
    uint32_t left[STEPS], most = 0;
    *coloured = 0;
    for (int step = 0; step < STEPS; step++) {
        left[step] = tones[step];
        *coloured += step < NOT_WHITE ? tones[step] : 0;
    }
    for (int taken = 0; taken < FEW; taken++) {
        int best = 0;
        for (int step = 1; step < NOT_WHITE; step++)
            best = left[step] > left[best] ? step : best;
        most += left[best];
        left[best] = 0;
    }
    return most;
}

static int has_many_tones(const uint32_t tones[STEPS], uint32_t count)
{
    uint32_t middle = 0, coloured, most = in_few_tones(tones, &coloured);
    for (int step = DARKEST_MIDDLE; step <= LIGHTEST_MIDDLE; step++)
        middle += tones[step];
    return middle * 100 >= count * MIDDLE_PERCENT && most * 100 < coloured * FEW_PERCENT;
}

/* Areas of a few tones and nothing between them, as nobody photographs. */
static int is_flat(const uint32_t tones[STEPS])
{
    uint32_t coloured, most = in_few_tones(tones, &coloured);
    return most * 100 >= coloured * FLAT_TONES;
}

/* Which of the boxes are photographs; their tiles are marked so, all others not. */
static int settle_boxes(Ground *ground, const Box *boxes, ptrdiff_t box_count)
{
    size_t count = (size_t)(ground->tiles.width * ground->tiles.rows);
    uint8_t *photo = calloc(count, 1);
    int rows = rows_of_tile(ground->y_dpi);
    if (photo == NULL)
        return -1;
    for (ptrdiff_t each = 0; each < box_count; each++) {
        Box box = boxes[each];
        uint32_t tones[STEPS] = {0}, in = 0, of = 0, looked_at = 0;
        for (int mark = 0; mark < 2; mark++) {
            for (ptrdiff_t y = (box.top + rows / 2) / rows; y < (box.below + rows / 2) / rows; y++)
                for (ptrdiff_t x = (box.left + TILE / 2) / TILE; x < (box.right + TILE / 2) / TILE; x++) {
                    if (x < 0 || y < 0 || x >= ground->tiles.width || y >= ground->tiles.rows)
                        continue;
                    const Tile *tile = &ground->tile[y * ground->tiles.width + x];
                    if (mark) {
                        photo[y * ground->tiles.width + x] = 1;
                        continue;
                    }
                    of++;
                    in += tile->photo;
                    looked_at += tile->looked_at;
                    for (int step = 0; step < STEPS; step++)
                        tones[step] += tile->tones[step];
                }
            if (of == 0 || (in * 100 < of * BOX_PERCENT && !has_many_tones(tones, looked_at)))
                break;
        }
    }
    for (size_t at = 0; at < count; at++)
        ground->tile[at].photo = photo[at];
    free(photo);
    return 0;
}

/* A tile beside a photograph that is darker than paper and has hardly an edge is a part of it; not on a page
 * with a shadow on it, where paper is as dark: so dark a tenth of the tiles with type on them. */
enum { DARKER_THAN_PAPER = 85, FEW_EDGES = 6, SHADED = 80 };

static int percentile_of_tiles(const uint32_t histogram[256], uint32_t count, int percent)
{
    uint32_t below = 0;
    int level = 0;
    while (level < 255 && (below += histogram[level]) * 100 <= count * (uint32_t)percent)
        level++;
    return level;
}

static void grow_photographs(const Ground *ground, uint8_t *photo)
{
    uint32_t papers[256] = {0}, written[256] = {0}, count = 0, count_written = 0;
    Size tiles = ground->tiles;
    for (ptrdiff_t at = 0; at < tiles.width * tiles.rows; at++) {
        const Tile *tile = &ground->tile[at];
        papers[tile->paper_tone] += tile->looked_at != 0;
        count += tile->looked_at != 0;
        if (tile->edges > FEW_EDGES && !photo[at]) {
            written[tile->paper_tone]++;
            count_written++;
        }
    }
    int bright = percentile_of_tiles(papers, count, 95);
    if (percentile_of_tiles(written, count_written, 10) * 100 < bright * SHADED && count_written)
        return;
    for (int changed = 1; changed;) {
        changed = 0;
        for (ptrdiff_t y = 0; y < tiles.rows; y++)
            for (ptrdiff_t x = 0; x < tiles.width; x++) {
                ptrdiff_t at = y * tiles.width + x;
                const Tile *tile = &ground->tile[at];
                if (photo[at] || tile->looked_at == 0 || tile->edges > FEW_EDGES
                    || tile->middle * 100 >= bright * DARKER_THAN_PAPER)
                    continue;
                int beside = (x > 0 && photo[at - 1]) || (x + 1 < tiles.width && photo[at + 1])
                             || (y > 0 && photo[at - tiles.width]) || (y + 1 < tiles.rows && photo[at + tiles.width]);
                photo[at] = (uint8_t)beside;
                changed |= beside;
            }
    }
}

/* A photograph has somewhere so many tiles by so many that nearly all look like one; lines of type on a tint have not.
 * What hangs together with that is of it, gaps of highlights and shadows closed, and its rim comes in. */
enum { PHOTO_CORE = 3, PHOTO_NEARLY = 7, PHOTO_CLOSED = 5, PHOTO_ROUNDS = 6 };

static int settle_raster(Ground *ground)
{
    size_t count = (size_t)(ground->tiles.width * ground->tiles.rows);
    uint8_t *photo = malloc(2 * count), *may = photo + count;
    uint16_t *around = malloc(count * sizeof *around);
    int failed = photo == NULL || around == NULL;
    if (!failed) {
        for (size_t at = 0; at < count; at++)
            may[at] = ground->tile[at].photo;
        failed = count_around(around, may, ground->tiles, PHOTO_CORE, PHOTO_CORE) < 0
                 || without_dark(may, ground->tiles, PHOTO_CLOSED, PHOTO_CLOSED) < 0
                 || without_light(may, ground->tiles, PHOTO_CORE, PHOTO_CORE) < 0;
        for (size_t at = 0; !failed && at < count; at++)
            photo[at] = around[at] >= PHOTO_NEARLY;
        failed = failed || widen_light(photo, ground->tiles, PHOTO_CORE, PHOTO_CORE) < 0;
        for (int round = 0; round < PHOTO_ROUNDS && !failed; round++) {
            sweep(photo, may, ground->tiles, 0);
            sweep(photo, may, ground->tiles, 1);
        }
        if (!failed)
            grow_photographs(ground, photo);
        failed = failed || widen_light(photo, ground->tiles, 5, 5) < 0 || widen_dark(photo, ground->tiles, 3, 3) < 0;
        for (size_t at = 0; !failed && at < count; at++)
            ground->tile[at].photo = photo[at];
    }
    free(photo);
    free(around);
    return failed ? -1 : 0;
}

static int settle_paper(Ground *ground, size_t offset)
{
    Size tiles = ground->tiles;
    size_t count = (size_t)(tiles.width * tiles.rows);
    uint8_t *paper = malloc(count), *smooth = malloc(count);
    int failed = paper == NULL || smooth == NULL;
    if (!failed) {
        for (size_t at = 0; at < count; at++)
            paper[at] = ground->tile[at].photo ? 0 : ((uint8_t *)&ground->tile[at])[offset];
        failed = without_dark(paper, tiles, PAPER_WIDE, PAPER_WIDE) < 0
                 || without_light(paper, tiles, PAPER_WIDE, PAPER_WIDE) < 0;
    }
    for (int round = 0; round < 2 && !failed; round++) {
        for (ptrdiff_t ty = 0; ty < tiles.rows; ty++)
            for (ptrdiff_t tx = 0; tx < tiles.width; tx++) {
                int sum = 0, of = 0;
                for (ptrdiff_t y = ty - 1; y <= ty + 1; y++)
                    for (ptrdiff_t x = tx - 1; x <= tx + 1; x++)
                        if (y >= 0 && y < tiles.rows && x >= 0 && x < tiles.width && paper[y * tiles.width + x]) {
                            sum += paper[y * tiles.width + x];
                            of++;
                        }
                smooth[ty * tiles.width + tx] = (uint8_t)(of ? sum / of : 0);
            }
        memcpy(paper, smooth, count);
    }
    for (size_t at = 0; !failed && at < count; at++)
        ((uint8_t *)&ground->tile[at])[offset] = paper[at] ? paper[at] : PAPER_WHITE;
    free(paper);
    free(smooth);
    return failed ? -1 : 0;
}

/* Type and patterns look like noise to a tile: the least of the tiles around counts. */
enum { NOISE_AROUND = 5 };

static int spread_noise(Ground *ground)
{
    size_t count = (size_t)(ground->tiles.width * ground->tiles.rows);
    uint8_t *noise = malloc(count);
    if (noise == NULL)
        return -1;
    for (size_t at = 0; at < count; at++)
        noise[at] = ground->tile[at].noise;
    int failed = without_light(noise, ground->tiles, NOISE_AROUND, NOISE_AROUND) < 0;
    for (size_t at = 0; !failed && at < count; at++)
        ground->tile[at].noise = noise[at];
    free(noise);
    return failed ? -1 : 0;
}

/* Paper as white as this shows half its noise or none: then it is told by the tints, if so many percent are tinted. */
enum { CLIPPED = 250, TINTED_PERCENT = 1, NOISY = 2 };

/* Middle of the noise of the tiles that are darker than `most`, as it is once their paper is white; 0 of few tiles. */
static int settle_noise(const Ground *ground, int most)
{
    uint64_t histogram[256] = {0}, count = 0, below = 0;
    for (ptrdiff_t at = 0; at < ground->tiles.width * ground->tiles.rows; at++) {
        const Tile *tile = &ground->tile[at];
        if (tile->looked_at && !tile->photo && tile->paper_type >= LEAST_PAPER / 2 && tile->paper_type < most) {
            histogram[tile->noise * PAPER_WHITE / tile->paper_type]++;
            count++;
        }
    }
    if (count * 100 < (uint64_t)(ground->tiles.width * ground->tiles.rows * TINTED_PERCENT))
        return 0;
    int noise = 0;
    while (noise < 255 && (below += histogram[noise]) * 2 < count)
        noise++;
    return noise;
}

/* Photographs between their own darkest and lightest tone, a dark one a little lighter and the other way. */
#define LEAST_HALF 0.15

static void settle_stretch(Ground *ground, int darker)
{
    uint64_t tones[STEPS] = {0}, count = 0, below = 0;
    for (ptrdiff_t at = 0; at < ground->tiles.width * ground->tiles.rows; at++)
        for (int step = 0; step < STEPS && (ground->tile[at].photo || ground->tones == TONES_EVERYWHERE); step++) {
            tones[step] += ground->tile[at].tones[step];
            count += ground->tile[at].tones[step];
        }
    int low = 0, high = STEPS - 1, middle = 0;
    while (low < STEPS / 3 && (below += tones[low]) * 50 <= count)
        low++;
    below = 0;
    while (high > STEPS * 2 / 3 && (below += tones[high]) * 50 <= count)
        high--;
    below = 0;
    while (middle < STEPS - 1 && (below += tones[middle]) * 2 < count)
        middle++;
    double width = (high + 1 - low) * 256.0 / STEPS, least = low * 256.0 / STEPS;
    double half = (middle * 256.0 / STEPS - least) / width;
    half = half < LEAST_HALF ? LEAST_HALF : half > 1 - LEAST_HALF ? 1 - LEAST_HALF : half;
    double exponent = (1 + log(0.5) / log(half)) / 2; /* half of what would bring the middle to the middle */
    for (int level = 0; level < 256; level++) {
        double share = (level - least) / width;
        double value = 255 * pow(share < 0 ? 0 : share > 1 ? 1 : share, exponent) - darker / 2;
        ground->stretch[level] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

/* A picture is one photograph from edge to edge, not a page, when its tones are many, hardly any of its tiles are
 * paper, and many look like a photograph or are of other colours, or wide areas are dark, or more of it is edge
 * than any type makes; or when it has many tones and not a single sharp edge. */
enum { PHOTO_TILES = 25, COLOURED_TILES = 35, PAPER_TILES = 25, SOME_TILES = 8, SKY_TILES = 45, NEAR_BRIGHTEST = 88, SAME_COLOUR = 14 };
enum { DARK_TIMES = 4, SOFT_TONES = 75, SOFT_EDGES = 1000, TOO_MANY_EDGES = 3 };

static int of_colour(const Tile *tile, int blue, int red)
{
    return abs(tile->blue - blue) <= SAME_COLOUR && abs(tile->red - red) <= SAME_COLOUR;
}

static int is_all_photograph(const Ground *ground)
{
    uint32_t papers[256] = {0}, tones[STEPS] = {0}, count = 0, looked_at = 0, bright = 0;
    uint64_t edges = 0, pictured = 0, paper = 0, coloured = 0;
    int64_t blue = 0, red = 0;
    ptrdiff_t tiles = ground->tiles.width * ground->tiles.rows;
    for (const Tile *tile = ground->tile; tile < ground->tile + tiles; tile++) {
        if (tile->looked_at == 0)
            continue;
        papers[tile->paper_tone]++;
        count++;
        looked_at += tile->looked_at;
        edges += tile->edges;
        pictured += tile->photo;
        for (int step = 0; step < STEPS; step++)
            tones[step] += tile->tones[step];
    }
    int low = percentile_of_tiles(papers, count, 5), high = percentile_of_tiles(papers, count, 95);
    for (const Tile *tile = ground->tile; tile < ground->tile + tiles; tile++)
        if (tile->looked_at && tile->paper_tone >= high) {
            blue += tile->blue;
            red += tile->red;
            bright++;
        }
    if (count == 0 || bright == 0)
        return 0;
    for (const Tile *tile = ground->tile; tile < ground->tile + tiles; tile++)
        if (tile->looked_at) {
            int white = of_colour(tile, (int)(blue / bright), (int)(red / bright));
            paper += white && !tile->photo && tile->middle * 100 >= high * NEAR_BRIGHTEST;
            coloured += !white;
        }
    if (high - low >= SOFT_TONES && edges * SOFT_EDGES < looked_at && !is_flat(tones))
        return 1;
    if (!has_many_tones(tones, looked_at))
        return 0;
    int wide_dark = low * DARK_TIMES < high;
    if (wide_dark && pictured * 100 >= count * SOME_TILES && paper * 100 < count * SKY_TILES)
        return 1;
    return paper * 100 < count * PAPER_TILES
           && (wide_dark || pictured * 100 >= count * PHOTO_TILES || coloured * 100 >= count * COLOURED_TILES
               || edges * TOO_MANY_EDGES > looked_at);
}

int settle(Ground *ground, const Box *boxes, ptrdiff_t box_count, int darker)
{
    uint64_t count = 0, below = 0, near = 0, light = 0, white = 0, pictured = 0, tiles = 0;
    for (int level = 0; level < 256; level++) {
        count += ground->levels[level];
        white += level >= PAPER_WHITE ? ground->levels[level] : 0;
    }
    int median = 0;
    while (median < 255 && (below += ground->levels[median]) * 2 < count)
        median++;
    for (int level = 0; level < 256; level++) {
        near += abs(level - median) <= DARK_SPREAD ? ground->levels[level] : 0;
        light += level > median + LIGHT_ABOVE ? ground->levels[level] : 0;
    }
    int all = ground->raster && ground->tones == TONES_BY_CONTENT && is_all_photograph(ground);
    if ((ground->raster ? settle_raster(ground) : settle_boxes(ground, boxes, box_count)) < 0)
        return -1;
    if (all)
        for (ptrdiff_t at = 0; at < ground->tiles.width * ground->tiles.rows; at++)
            ground->tile[at].photo = ground->tile[at].looked_at != 0;
    settle_stretch(ground, darker);
    if (ground->tones == TONES_EVERYWHERE)
        return 0;
    ground->turned = median < DARK_MEDIAN && near * 100 >= count * DARK_PERCENT
                     && light * 1000 >= count * LIGHT_PERMILLE;
    for (ptrdiff_t at = 0; at < ground->tiles.width * ground->tiles.rows; at++) {
        pictured += ground->tile[at].photo;
        tiles += ground->tile[at].looked_at != 0;
    }
    settle_patterns(ground);
    if (ground->turned || pictured * 100 >= tiles * PHOTO_PERCENT)
        return 0;
    int papery = (median >= LEAST_PAPER && median < PAPER_WHITE) || white * 100 < count * WHITE_PERCENT;
    if (ground->raster && spread_noise(ground) < 0)
        return -1;
    int noise = ground->raster ? settle_noise(ground, papery ? 256 : CLIPPED) : 0;
    if (ground->raster && (papery || noise >= NOISY)) {
        ground->scanned = 1;
        ground->patterned = 0;
        ground->noise = noise;
        return settle_paper(ground, offsetof(Tile, paper_type)) < 0
                       || settle_paper(ground, offsetof(Tile, paper_tone)) < 0
                   ? -1
                   : 0;
    }
    return 0;
}

/* -- a band on that ground -------------------------------------------------------------------- */

static void turn_round(const Band *band, uint8_t *plane)
{
    Box content = band->ground->content;
    for (ptrdiff_t y = 0; y < band->size.rows; y++)
        for (ptrdiff_t x = content.left; x < content.right; x++)
            if (y + band->first >= content.top && y + band->first < content.below
                && !band->photo[y * band->size.width + x])
                plane[y * band->size.width + x] ^= 255;
}

/* A row's pixels as they are where paper is white; ``factors`` are in 1/4096. */
WIDE static void whiten_row(uint8_t *restrict values, const uint16_t *restrict factors, const uint8_t *restrict photo,
                            ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++) {
        uint16_t value = (uint16_t)((uint32_t)(uint16_t)(values[x] << 4) * factors[x] >> 16);
        value = value > 255 ? 255 : value;
        values[x] = photo[x] ? values[x] : (uint8_t)value;
    }
}

WIDE static void take_slope(uint8_t *restrict levels, uint32_t level, uint32_t slope, uint32_t share, int bits, int count)
{
    for (int x = 0; x < count; x++)
        levels[x] = (uint8_t)((level + slope * (uint32_t)x) * share >> bits);
}

/* The paper's level at each pixel of a row: between the middles of four tiles, first down, for each column of
 * tiles, then across. */
static void take_levels(uint8_t *levels, int16_t *column, const Ground *ground, size_t offset, ptrdiff_t y, ptrdiff_t width)
{
    int rows = rows_of_tile(ground->y_dpi);
    /* Dividing by a tile's pixels: exact for what 255 times them can be. */
    enum { SHARE_BITS = 24 };
    uint32_t share = (1u << SHARE_BITS) / (uint32_t)(TILE * rows) + 1;
    ptrdiff_t row = y - rows / 2;
    ptrdiff_t above = row < 0 ? 0 : row / rows, below = above + 1 < ground->tiles.rows ? above + 1 : above;
    int down = row < 0 ? 0 : (int)(row % rows);
    for (ptrdiff_t tx = 0; tx < ground->tiles.width; tx++) {
        const uint8_t *upper = (const uint8_t *)&ground->tile[above * ground->tiles.width + tx];
        const uint8_t *lower = (const uint8_t *)&ground->tile[below * ground->tiles.width + tx];
        column[tx] = (int16_t)(upper[offset] * (rows - down) + lower[offset] * down);
    }
    column[ground->tiles.width] = column[ground->tiles.width - 1];
    ptrdiff_t x = TILE / 2 < width ? TILE / 2 : width;
    memset(levels, (int)((uint32_t)(column[0] * TILE) * share >> SHARE_BITS), (size_t)x);
    for (ptrdiff_t tx = 0; x < width; tx++, x += TILE)
        take_slope(levels + x, (uint32_t)(column[tx] * TILE), (uint32_t)(column[tx + 1] - column[tx]), share, SHARE_BITS,
                   width - x < TILE ? (int)(width - x) : TILE);
}

enum { DARKEST_PAPER = 50 };
/* So many pixels side by side have mostly the paper of those above them. */
enum { ALIKE = 16 };

static int whiten(const Band *band, uint8_t *plane, size_t offset)
{
    const Ground *ground = band->ground;
    ptrdiff_t width = band->size.width;
    int16_t *column = malloc((size_t)(ground->tiles.width + 1) * sizeof *column);
    uint16_t *factors = malloc((size_t)width * sizeof *factors), factor[256];
    uint8_t *levels = malloc((size_t)width), *before = calloc((size_t)width, 1);
    for (int level = 0; level < 256; level++)
        factor[level] = (uint16_t)((PAPER_WHITE << 8) / (level < DARKEST_PAPER ? DARKEST_PAPER : level) << 4);
    int failed = column == NULL || factors == NULL || levels == NULL || before == NULL;
    for (ptrdiff_t x = 0; x < width && !failed; x++)
        factors[x] = factor[0];
    for (ptrdiff_t y = 0; y < band->size.rows && !failed; y++) {
        take_levels(levels, column, ground, offset, y + band->first, width);
        for (ptrdiff_t x = 0; x < width; x += ALIKE) {
            if (x + ALIKE <= width && memcmp(levels + x, before + x, ALIKE) == 0)
                continue;
            for (ptrdiff_t each = x; each < x + ALIKE && each < width; each++)
                factors[each] = factor[levels[each]];
        }
        uint8_t *other = before;
        before = levels;
        levels = other;
        whiten_row(plane + y * width, factors, band->photo + y * width, width);
    }
    free(column);
    free(factors);
    free(levels);
    free(before);
    return failed ? -1 : 0;
}

/* More noise than this is smoothed away, which leaves some of it. */
enum { MUCH_NOISE = 3, SMOOTHED = 2 };

WIDE static void smooth_row(uint8_t *restrict row, const uint8_t *restrict above, const uint8_t *restrict here,
                            const uint8_t *restrict below, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++) {
        uint16_t left = above[x - 1] + 2 * here[x - 1] + below[x - 1];
        uint16_t middle = above[x] + 2 * here[x] + below[x];
        uint16_t right = above[x + 1] + 2 * here[x + 1] + below[x + 1];
        row[x] = (uint8_t)((uint16_t)(left + 2 * middle + right) >> 4);
    }
}

/* A row with its edges going on for a pixel. */
static void take_edged(uint8_t *edged, const uint8_t *row, ptrdiff_t width)
{
    memcpy(edged, row, (size_t)width);
    edged[-1] = row[0];
    edged[width] = row[width - 1];
}

static int smooth(const Band *band, uint8_t *plane)
{
    ptrdiff_t width = band->size.width, rows = band->size.rows, edged = width + 2;
    uint8_t *lines = malloc(3 * (size_t)edged);
    if (lines == NULL)
        return -1;
    uint8_t *above = lines + 1, *here = above + edged, *below = here + edged;
    take_edged(above, plane, width);
    take_edged(here, plane, width);
    for (ptrdiff_t y = 0; y < rows; y++) {
        uint8_t *row = plane + y * width;
        take_edged(below, y + 1 < rows ? row + width : row, width);
        smooth_row(row, above, here, below, width);
        uint8_t *oldest = above;
        above = here;
        here = below;
        below = oldest;
    }
    free(lines);
    return 0;
}

int least_depth(const Band *band, ptrdiff_t x, ptrdiff_t y, int times)
{
    const Ground *ground = band->ground;
    const Tile *tile = &ground->tile[(y + band->first) / rows_of_tile(ground->y_dpi) * ground->tiles.width + x / TILE];
    int noise = tile->noise * PAPER_WHITE / (tile->paper_type < 50 ? 50 : tile->paper_type);
    noise = noise > 2 * ground->noise + 2 ? 2 * ground->noise + 2 : noise;
    return noise * times / (ground->noise >= MUCH_NOISE ? SMOOTHED : 1);
}

int level_band(Band *band)
{
    const Ground *ground = band->ground;
    uint8_t *planes[] = {band->tone, band->type, band->under_tone, band->under_type};
    size_t offsets[] = {offsetof(Tile, paper_tone), offsetof(Tile, paper_type), offsetof(Tile, paper_tone),
                        offsetof(Tile, paper_type)};
    for (int each = 0; each < 4; each++) {
        int done = 0;
        for (int before = 0; before < each; before++)
            done |= planes[before] == planes[each];
        if (!done && ground->turned)
            turn_round(band, planes[each]);
        if (!done && ground->scanned && whiten(band, planes[each], offsets[each]) < 0)
            return -1;
        if (!done && ground->scanned && ground->noise >= MUCH_NOISE && smooth(band, planes[each]) < 0)
            return -1;
    }
    if (ground->turned) {
        uint8_t *light = band->light_type;
        band->light_type = band->dark_type;
        band->dark_type = light;
    }
    memcpy(band->closed, band->under_tone, (size_t)(band->size.width * band->size.rows));
    return without_dark(band->closed, band->size, pixels_across(band, STROKE), pixels_down(band, STROKE));
}
