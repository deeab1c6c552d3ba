/* Levels a band: inverts light-on-dark pages, brings paper to white and smooths its noise. */
#include "sheet.h"

#include <stdlib.h>
#include <string.h>

WIDE static void turn_row(uint8_t *restrict row, const uint8_t *restrict photo, ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++)
        row[x] ^= (uint8_t)(photo[x] - 1); /* 255 except on a photograph */
}

/* A margin is at least so light; the tile where it ends is looked at pixel by pixel. */
enum { WHITE_MARGIN = 248 };

/* The pixels of a row that are inverted: from ``left`` to before ``right`` without the margins' rest in the tiles where
 * they end. */
static Box without_rest(const uint8_t *row, Box inner, Box content)
{
    ptrdiff_t most = inner.left + TILE, least = inner.right - TILE;
    while (inner.left > content.left && inner.left < inner.right && inner.left < most && row[inner.left] >= WHITE_MARGIN)
        inner.left++;
    while (inner.right < content.right && inner.right > inner.left && inner.right > least
           && row[inner.right - 1] >= WHITE_MARGIN)
        inner.right--;
    return inner;
}

static int is_white_run(const uint8_t *row, ptrdiff_t left, ptrdiff_t right)
{
    while (left < right && row[left] >= WHITE_MARGIN)
        left++;
    return left == right;
}

static int turn_round(const Band *band, uint8_t *plane)
{
    const Ground *ground = band->ground;
    ptrdiff_t tile = rows_of_tile(ground->y_dpi);
    Box content = ground->content, dark = ground->dark, inner = content;
    /* Only a margin that is a tile or more is left as it is. */
    inner.left = dark.left * TILE > content.left ? dark.left * TILE : content.left;
    inner.top = dark.top * tile > content.top ? dark.top * tile : content.top;
    inner.right = dark.right * TILE < content.right ? dark.right * TILE : content.right;
    inner.below = dark.below * tile < content.below ? dark.below * tile : content.below;
    uint8_t *photo = new_line(band->size);
    for (ptrdiff_t y = 0; y < band->size.rows && photo != NULL; y++) {
        ptrdiff_t of_page = y + band->first;
        uint8_t *row = plane + y * band->size.width;
        int ends = (inner.top > content.top && of_page < inner.top + tile)
                   || (inner.below < content.below && of_page >= inner.below - tile);
        if (of_page < inner.top || of_page >= inner.below || (ends && is_white_run(row, inner.left, inner.right)))
            continue;
        Box turned = without_rest(row, inner, content);
        put_line(&band->photo, y, photo);
        turn_row(row + turned.left, photo + turned.left, turned.right - turned.left);
    }
    free(photo);
    return photo == NULL ? -1 : 0;
}

/* Multiplies a row by ``factors`` (in 1/4096), except on photographs. */
WIDE static void whiten_row(uint8_t *restrict values, const uint16_t *restrict factors, const uint8_t *restrict photo,
                            ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x++) {
        uint16_t value = (uint16_t)((uint32_t)(uint16_t)(values[x] << 4) * factors[x] >> 16);
        value = value > 255 ? 255 : value;
        values[x] = photo[x] ? values[x] : (uint8_t)value;
    }
}

/* Interpolates paper levels between tile centres. ``column`` holds them times a tile's rows, ``width`` counts from
 * the first centre on; multiplying by ``share`` and shifting by ``bits`` divides by a tile's pixels. */
WIDE static void take_slopes(uint8_t *restrict levels, const int16_t *restrict column, uint32_t share, int bits,
                             ptrdiff_t width)
{
    for (; width >= TILE; width -= TILE, levels += TILE, column++) {
        uint32_t level = (uint32_t)(column[0] * TILE), slope = (uint32_t)(column[1] - column[0]);
        uint32_t first = level * share >> bits;
        if (first == (uint32_t)(column[1] * TILE) * share >> bits) { /* so are all between */
            memset(levels, (int)first, TILE);
            continue;
        }
        for (uint32_t x = 0; x < TILE; x++)
            levels[x] = (uint8_t)((level + slope * x) * share >> bits);
    }
    for (uint32_t x = 0; x < (uint32_t)width; x++)
        levels[x] = (uint8_t)(((uint32_t)(column[0] * TILE) + (uint32_t)(column[1] - column[0]) * x) * share >> bits);
}

/* Paper levels at the centres of the rows of tiles above and below the current row of pixels. */
typedef struct {
    ptrdiff_t above; /* the upper row of tiles; -1 for none yet */
    int16_t *upper, *lower, *column;
} Columns;

WIDE static void take_between(int16_t *restrict column, const int16_t *restrict upper, const int16_t *restrict lower,
                              int16_t of_upper, int16_t of_lower, ptrdiff_t count)
{
    for (ptrdiff_t tx = 0; tx < count; tx++)
        column[tx] = (int16_t)(upper[tx] * of_upper + lower[tx] * of_lower);
}

/* Sets ``column`` to the paper levels at each column of tiles for page row ``y``, times a tile's rows. */
static void take_columns(Columns *columns, const Ground *ground, size_t offset, ptrdiff_t y)
{
    int rows = rows_of_tile(ground->y_dpi);
    ptrdiff_t row = y - rows / 2, width = ground->tiles.width;
    ptrdiff_t above = row < 0 ? 0 : row / rows, below = above + 1 < ground->tiles.rows ? above + 1 : above;
    int down = row < 0 ? 0 : (int)(row % rows);
    for (ptrdiff_t tx = 0; tx < width && above != columns->above; tx++) {
        columns->upper[tx] = ((const uint8_t *)&ground->tile[above * width + tx])[offset];
        columns->lower[tx] = ((const uint8_t *)&ground->tile[below * width + tx])[offset];
    }
    columns->above = above;
    take_between(columns->column, columns->upper, columns->lower, (int16_t)(rows - down), (int16_t)down, width);
    columns->column[width] = columns->column[width - 1];
}

/* Paper level at each pixel of that row. */
static void take_levels(uint8_t *levels, const int16_t *column, const Ground *ground, ptrdiff_t width)
{
    /* Multiplying by this divides by a tile's pixels, exactly for up to 255 times their number. */
    enum { SHARE_BITS = 24 };
    uint32_t share = (1u << SHARE_BITS) / (uint32_t)(TILE * rows_of_tile(ground->y_dpi)) + 1;
    ptrdiff_t x = TILE / 2 < width ? TILE / 2 : width;
    memset(levels, (int)((uint32_t)(column[0] * TILE) * share >> SHARE_BITS), (size_t)x);
    take_slopes(levels + x, column, share, SHARE_BITS, width - x);
}

enum { DARKEST_PAPER = 50 };

/* Factors are looked up for ALIKE pixels at a time, and only where paper levels differ from the row above. */
enum { ALIKE = 16 };

/* Updates ``factors`` where ``levels`` differ from ``before``. */
static void take_factors(uint16_t *factors, const uint16_t factor[256], const uint8_t *levels, const uint8_t *before,
                         ptrdiff_t width)
{
    for (ptrdiff_t x = 0; x < width; x += ALIKE) {
        if (x + ALIKE <= width && memcmp(levels + x, before + x, ALIKE) == 0)
            continue;
        for (ptrdiff_t each = x; each < x + ALIKE && each < width; each++)
            factors[each] = factor[levels[each]];
    }
}

static int whiten(const Band *band, uint8_t *plane, size_t offset)
{
    const Ground *ground = band->ground;
    ptrdiff_t width = band->size.width;
    ptrdiff_t tiles = ground->tiles.width + 1;
    int16_t *column = malloc(3 * (size_t)tiles * sizeof *column);
    Columns columns = {-1, column + tiles, column + 2 * tiles, column};
    uint16_t *factors = malloc((size_t)width * sizeof *factors), factor[256];
    uint8_t *levels = malloc((size_t)width), *before = calloc((size_t)width, 1), *photo = new_line(band->size);
    for (int level = 0; level < 256; level++)
        factor[level] = (uint16_t)((PAPER_WHITE << 8) / (level < DARKEST_PAPER ? DARKEST_PAPER : level) << 4);
    int failed = column == NULL || factors == NULL || levels == NULL || before == NULL || photo == NULL;
    for (ptrdiff_t x = 0; x < width && !failed; x++)
        factors[x] = factor[0];
    for (ptrdiff_t y = 0; y < band->size.rows && !failed; y++) {
        take_columns(&columns, ground, offset, y + band->first);
        take_levels(levels, column, ground, width);
        take_factors(factors, factor, levels, before, width);
        uint8_t *other = before;
        before = levels;
        levels = other;
        put_line(&band->photo, y, photo);
        whiten_row(plane + y * width, factors, photo, width);
    }
    free(column);
    free(factors);
    free(levels);
    free(before);
    free(photo);
    return failed ? -1 : 0;
}

/* From noise of MUCH_NOISE levels on, planes are smoothed by a 3 x 3 kernel, which divides it by about SMOOTHED; below
 * COARSE_DPI, where a row holds thin strokes and gaps as a whole, along rows only, up to MOST_ALONG_ROWS. */
enum { MUCH_NOISE = 3, SMOOTHED = 2, MOST_ALONG_ROWS = 5 };

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

/* Copies a row and repeats its first and last pixel once beyond the edges. */
static void take_edged(uint8_t *edged, const uint8_t *row, ptrdiff_t width)
{
    memcpy(edged, row, (size_t)width);
    edged[-1] = row[0];
    edged[width] = row[width - 1];
}

static int smooth(const Band *band, uint8_t *plane)
{
    ptrdiff_t width = band->size.width, rows = band->size.rows, edged = width + 2;
    int along_rows = band->ground->y_dpi < COARSE_DPI && band->ground->noise <= MOST_ALONG_ROWS;
    uint8_t *lines = malloc(3 * (size_t)edged);
    if (lines == NULL)
        return -1;
    uint8_t *above = lines + 1, *here = above + edged, *below = here + edged;
    take_edged(above, plane, width);
    take_edged(here, plane, width);
    for (ptrdiff_t y = 0; y < rows; y++) {
        uint8_t *row = plane + y * width;
        take_edged(below, y + 1 < rows ? row + width : row, width);
        smooth_row(row, along_rows ? here : above, here, along_rows ? here : below, width);
        uint8_t *oldest = above;
        above = here;
        here = below;
        below = oldest;
    }
    free(lines);
    return 0;
}

/* What is darker is no paper in a shadow: its grain shows that something is there. */
enum { DIMMEST_PAPER = 64 };

int least_depth(const Band *band, ptrdiff_t x, ptrdiff_t y, int times, int as_it_came)
{
    const Ground *ground = band->ground;
    const Tile *tile = &ground->tile[(y + band->first) / rows_of_tile(ground->y_dpi) * ground->tiles.width + x / TILE];
    int paper = tile->paper_type < DARKEST_PAPER ? DARKEST_PAPER : tile->paper_type;
    int noise = tile->noise * PAPER_WHITE / paper;
    noise = noise > 2 * ground->noise + 2 ? 2 * ground->noise + 2 : noise;
    noise = noise * times / (ground->noise >= MUCH_NOISE ? SMOOTHED : 1);
    int least = tile->paper_type < DIMMEST_PAPER ? 0 : as_it_came * PAPER_WHITE / paper;
    return noise > least ? noise : least;
}

int beyond_noise(const Band *band, int depth, int times)
{
    int noise = band->ground->scanned ? times * band->ground->noise : 0;
    return noise > depth ? noise : depth;
}

int level_band(Band *band)
{
    const Ground *ground = band->ground;
    uint8_t *planes[] = {band->under_tone, band->under_type};
    size_t offsets[] = {offsetof(Tile, paper_tone), offsetof(Tile, paper_type)};
    for (int each = 0; each < 1 + (planes[1] != planes[0]); each++)
        if ((ground->turned && turn_round(band, planes[each]) < 0)
            || (ground->scanned && whiten(band, planes[each], offsets[each]) < 0)
            || (ground->scanned && ground->noise >= MUCH_NOISE && smooth(band, planes[each]) < 0))
            return -1;
    if (ground->turned) {
        uint8_t *light = band->light_type;
        band->light_type = band->dark_type;
        band->dark_type = light;
    }
    return 0;
}
