/* Measures each tile of the page. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

/* A tile with FLAT_PERCENT of its pixels in FLAT_STEPS adjacent steps of 4 levels is flat: a tint, or the ground of
 * type. */
enum { FLAT_PERCENT = 48, FLAT_STEPS = 5 };
enum { PAPER_PERCENTILE = 90, NEAR_PAPER = 85, MOST_NOISE = 32 };

/* Highest level with at most ``percent`` of ``count`` pixels below it. */
static int percentile_of(const uint16_t histogram[256], uint32_t count, uint32_t percent)
{
    int level = 255;
    uint32_t below = count - histogram[255]; /* pixels below the level; most tiles are bright */
    while (level > 0 && below * 100 > count * percent)
        below -= histogram[--level];
    return level;
}

enum { LOOKED_AT = TILE / 2 * (TILE / 2) }; /* sampled pixels of a whole tile */

typedef struct {
    Ground *ground;
    const Band *band;
    int rows, every;          /* rows of a tile; one row in ``every`` is sampled */
    uint8_t *common;          /* bits that all pixels of a column have in the row of tiles */
    uint32_t levels[256];     /* of the tiles so far */
    uint8_t is_tint[256];     /* whether tints of a level may get patterns */
    uint16_t tint_steps[STEPS]; /* all ones for steps with such a level */
    uint8_t places[COLOUR_KEYS]; /* of the colours so far */
} Survey;

/* Handles a tile of nothing but white, as most are; returns 0 for any other. What is white for finding type is white. */
static int survey_white(const Survey *survey, ptrdiff_t left, ptrdiff_t top, Tile *tile)
{
    static const uint8_t white[TILE] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    Box content = survey->ground->content;
    if (left < content.left || top < content.top || left + TILE > content.right || top + survey->rows > content.below
        || memcmp(survey->common + left, white, TILE) != 0)
        return 0;
    tile->looked_at = tile->tones[STEPS - 1] = LOOKED_AT;
    survey->ground->levels[255] += LOOKED_AT;
    tile->paper_type = tile->paper_tone = tile->middle = 255;
    return 1;
}

static Box part_of_content(const Survey *survey, ptrdiff_t left, ptrdiff_t top)
{
    Box content = survey->ground->content;
    ptrdiff_t right = left + TILE, below = top + survey->rows;
    return (Box){left > content.left ? left : content.left, top > content.top ? top : content.top,
                 right < content.right ? right : content.right, below < content.below ? below : content.below};
}

WIDE static void add_levels(uint32_t *restrict levels, const uint16_t *restrict histogram)
{
    for (int level = 0; level < 256; level++)
        levels[level] += histogram[level];
}

WIDE static void take_steps(uint16_t *restrict steps, const uint16_t *restrict histogram)
{
    enum { LEVELS = 256 / STEPS };
    for (int step = 0; step < STEPS; step++) {
        uint16_t sum = 0;
        for (int each = 0; each < LEVELS; each++)
            sum = (uint16_t)(sum + histogram[step * LEVELS + each]);
        steps[step] = sum;
    }
}

uint32_t most_alike(const uint16_t steps[STEPS])
{
    uint32_t near = 0, most = 0;
    for (int step = 0; step < STEPS; step++) {
        near += steps[step];
        near -= step >= FLAT_STEPS ? steps[step - FLAT_STEPS] : 0;
        most = step >= FLAT_STEPS - 1 && near > most ? near : most;
    }
    return most;
}

/* Difference of each pixel of a row, from the third on, from the second one before it: MOST_NOISE where that is more,
 * on pixels no lighter than ``paper``, and where ``sampled`` is 0. Returns the number of greater ones. */
enum { PAIRS = TILE - 2 };
WIDE static int take_differences(uint8_t *restrict differences, const uint8_t *restrict row, uint8_t paper,
                                 const uint8_t *restrict sampled)
{
    uint8_t edges = 0;
    for (int x = 0; x < PAIRS; x++) {
        uint8_t differ = difference(row[x + 2], row[x]);
        uint8_t is_edge = (differ >= MOST_NOISE) & sampled[x];
        edges = (uint8_t)(edges + is_edge);
        differences[x] = (row[x + 2] > paper) & (differ < MOST_NOISE) & sampled[x] ? differ : MOST_NOISE;
    }
    return edges;
}

WIDE static uint32_t count_below(const uint8_t *values, int count, uint8_t level)
{
    uint16_t below = 0;
    for (int at = 0; at < count; at++)
        below = (uint16_t)(below + (values[at] < level));
    return below;
}

/* Counts sharp steps between sampled neighbours, and sets the noise: the median difference of neighbours on the
 * paper. */
static void survey_noise(const Survey *survey, ptrdiff_t left, ptrdiff_t top, Tile *tile)
{
    const Band *band = survey->band;
    Box content = survey->ground->content;
    uint8_t differences[TILE / 2 * PAIRS], sampled[PAIRS], copy[TILE] = {0};
    uint8_t paper = (uint8_t)(tile->paper_type * NEAR_PAPER / 100);
    ptrdiff_t columns = band->size.width - left < TILE ? band->size.width - left : TILE;
    int count = 0, edges = 0, noise = 0;
    for (int x = 0; x < PAIRS; x++)
        sampled[x] = x % 2 == 0 && left >= content.left && left + x + 2 < content.right;
    for (ptrdiff_t y = top; y < top + survey->rows && y < content.below && y >= content.top; y += survey->every) {
        const uint8_t *type = band->type + (y - band->first) * band->size.width + left;
        if (columns < TILE)
            type = memcpy(copy, type, (size_t)columns);
        edges += take_differences(differences + count, type, paper, sampled);
        count += PAIRS;
    }
    tile->edges = (uint8_t)(edges > 255 ? 255 : edges);
    uint32_t near = count_below(differences, count, MOST_NOISE);
    while (noise < MOST_NOISE - 1 && 2 * count_below(differences, count, (uint8_t)(noise + 1)) < near)
        noise++;
    tile->noise = (uint8_t)noise;
}

static void survey_colour(const Survey *survey, Box part, Tile *tile)
{
    const Band *band = survey->band;
    int32_t blue = 0, red = 0, looked_at = 0;
    for (ptrdiff_t y = part.top; y < part.below; y += 2 * survey->every)
        for (ptrdiff_t x = part.left; x < part.right; x += 4) {
            const uint8_t *pixel = band->from.pixels + (y - band->first) * band->from.stride + 4 * x;
            blue += pixel[0] - pixel[1];
            red += pixel[2] - pixel[1];
            looked_at++;
        }
    /* Scaled to white light: colours are weaker in the shade and on darker paper. */
    int32_t of = (looked_at ? looked_at : 1) * (tile->paper_tone < 40 ? 40 : tile->paper_tone);
    tile->blue = (int16_t)(blue * 255 / of);
    tile->red = (int16_t)(red * 255 / of);
}

/* Counts the levels of every other pixel of every ``every``th row in ``part`` of a plane, at most LOOKED_AT.
 * Neighbours are mostly alike, and in one histogram each count would wait for the last: PARTS are filled in turn. */
enum { PARTS = 4 };
static void count_levels(uint16_t levels[256], const uint8_t *plane, ptrdiff_t width, Box part, int every)
{
    uint8_t counts[PARTS][256] = {0};
    for (ptrdiff_t y = part.top; y < part.below; y += every) {
        const uint8_t *row = plane + y * width;
        ptrdiff_t x = part.left;
        for (; x + 2 * (PARTS - 1) < part.right; x += 2 * PARTS)
            for (int each = 0; each < PARTS; each++)
                counts[each][row[x + 2 * each]]++;
        for (; x < part.right; x += 2)
            counts[0][row[x]]++;
    }
    for (int level = 0; level < 256; level++)
        levels[level] = (uint16_t)(counts[0][level] + counts[1][level] + counts[2][level] + counts[3][level]);
}

/* Whether both planes are equal in a whole tile, as they are without colours. */
static int is_grey(const Band *band, ptrdiff_t left, Box in_band)
{
    for (ptrdiff_t y = in_band.top; y < in_band.below && band->tone != band->type; y++) {
        ptrdiff_t at = y * band->size.width + left;
        if (memcmp(band->tone + at, band->type + at, (size_t)(in_band.right - left)) != 0)
            return 0;
    }
    return 1;
}

/* Whether TILE columns are of one level, as in a tint. */
static int is_even(const uint8_t *row, ptrdiff_t stride, ptrdiff_t rows)
{
    if (memcmp(row, row + 1, TILE - 1) != 0)
        return 0;
    for (ptrdiff_t y = 1; y < rows; y++)
        if (memcmp(row, row + y * stride, TILE) != 0)
            return 0;
    return 1;
}

WIDE static int any_in_steps(const uint16_t *restrict tones, const uint16_t *restrict steps)
{
    uint16_t some = 0;
    for (int step = 0; step < STEPS; step++)
        some |= tones[step] & steps[step];
    return some != 0;
}

/* Samples every other pixel of every other row, of every row at standard resolution. */
static void survey_tile(Survey *survey, ptrdiff_t left, ptrdiff_t top, Tile *tile)
{
    Ground *ground = survey->ground;
    const Band *band = survey->band;
    uint16_t types[256], tones[256];
    memset(tile, 0, sizeof *tile);
    if (survey_white(survey, left, top, tile))
        return;
    Box part = part_of_content(survey, left, top);
    if (part.left >= part.right || part.top >= part.below)
        return;
    Box in_band = {part.left, part.top - band->first, part.right, part.below - band->first};
    ptrdiff_t columns = (part.right - part.left + 1) / 2;
    uint32_t count = (uint32_t)(columns * ((part.below - part.top + survey->every - 1) / survey->every));
    tile->looked_at = (uint16_t)count;
    const uint8_t *type = band->type + in_band.top * band->size.width + left;
    const uint8_t *tone = band->tone + in_band.top * band->size.width + left;
    if (part.right - part.left == TILE && is_even(type, band->size.width, part.below - part.top)
        && is_even(tone, band->size.width, part.below - part.top)) {
        survey->levels[*type] += count;
        tile->tones[*tone * STEPS / 256] = (uint16_t)count;
        tile->paper_type = *type;
        tile->paper_tone = tile->middle = *tone;
        types[255] = *type == 255 ? (uint16_t)count : 0;
    } else {
        count_levels(types, band->type, band->size.width, in_band, survey->every);
        if (is_grey(band, left, in_band))
            memcpy(tones, types, sizeof tones);
        else
            count_levels(tones, band->tone, band->size.width, in_band, survey->every);
        add_levels(survey->levels, types);
        take_steps(tile->tones, tones);
        tile->paper_type = (uint8_t)percentile_of(types, count, PAPER_PERCENTILE);
        tile->paper_tone = (uint8_t)percentile_of(tones, count, PAPER_PERCENTILE);
        tile->middle = (uint8_t)percentile_of(tones, count, 50);
    }
    if (types[255] == count || (!ground->raster && (band->from.channels == 1 || ground->tones == TONES_NONE)))
        return; /* black on white, or no photographs wanted: the rest is not needed */
    tile->photo = ground->tones == TONES_BY_CONTENT && most_alike(tile->tones) * 100 < count * FLAT_PERCENT
                  && looks_like_photograph(band, left, top - band->first);
    /* Colours are noted from FLAT on, perhaps of other pixels than the sampled ones. */
    if (!tile->photo && (part.left < FLAT || any_in_steps(tile->tones, survey->tint_steps)))
        note_colours(ground, band, part, survey->every, survey->is_tint, survey->places);
    if (!ground->raster)
        return; /* the paper and colours of a drawn page need no measuring */
    survey_noise(survey, left, top, tile);
    if (band->from.channels == 4)
        survey_colour(survey, part, tile);
}

WIDE static void keep_common(uint8_t *restrict common, const uint8_t *restrict row, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        common[x] &= row[x];
}

static void take_common(const Survey *survey, ptrdiff_t top, ptrdiff_t below)
{
    const Band *band = survey->band;
    ptrdiff_t width = band->size.width;
    memset(survey->common, 255, (size_t)width);
    for (ptrdiff_t y = top; y < below; y++)
        keep_common(survey->common, band->type + (y - band->first) * width, width);
}

int survey(Ground *ground, const Band *band, ptrdiff_t from, ptrdiff_t below)
{
    int rows = rows_of_tile(ground->y_dpi);
    Survey survey = {.ground = ground, .band = band, .rows = rows, .every = 2 * rows / TILE,
                     .common = malloc((size_t)band->size.width)};
    if (survey.common == NULL)
        return -1;
    take_places(survey.places, ground);
    for (int level = 0; level < 256; level++) {
        int kind = tint_of(level);
        survey.is_tint[level] = kind != WHITE_TINT && kind != BLACK_TINT;
        survey.tint_steps[level * STEPS / 256] |= survey.is_tint[level] ? UINT16_MAX : 0;
    }
    for (ptrdiff_t ty = from / rows; ty * rows < below && ty < ground->tiles.rows; ty++) {
        take_common(&survey, ty * rows, (ty + 1) * rows < below ? (ty + 1) * rows : below);
        for (ptrdiff_t tx = 0; tx < ground->tiles.width; tx++)
            survey_tile(&survey, tx * TILE, ty * rows, &ground->tile[ty * ground->tiles.width + tx]);
    }
    for (int level = 0; level < 256; level++)
        ground->levels[level] += survey.levels[level];
    free(survey.common);
    return 0;
}
