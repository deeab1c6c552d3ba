/* A page on its way from tones to black and white.  See docs/pages.md for the method and its figures.
 *
 * Large pages come in bands, so that no more than a band is in memory: first each band is surveyed, then the
 * ground of the whole page is settled, then each band becomes black and white. */
#ifndef FAXBOX_SHEET_H
#define FAXBOX_SHEET_H

#include "around.h"

/* Dark things up to this wide are ink, wider ones are areas: 2.4 mm, strokes of 36 pt bold. */
#define STROKE 19

typedef struct {
    const uint8_t *pixels; /* grey, or blue green red and an unused octet */
    ptrdiff_t stride;
    int channels; /* 1 or 4 */
} Pixels;

typedef struct {
    ptrdiff_t left, top, right, below; /* right and below are the first pixels outside */
} Box;

/* What is known of a tile of the page: TILE pixels across and, at standard resolution, half as many down. */
enum { TILE = 24, COARSE_DPI = 150, STEPS = 64 };
typedef struct {
    uint16_t tones[STEPS]; /* histogram of luma, of the pixels that were looked at */
    uint16_t looked_at;
    int16_t blue, red;              /* by how much they exceed green */
    uint8_t paper_type, paper_tone; /* brightest tenth begins here; 0 without content */
    uint8_t middle;                 /* median of luma */
    uint8_t noise;                  /* middle difference of neighbours on the paper */
    uint8_t edges;                  /* sharp steps, at most 255 */
    uint8_t photo;                  /* 1 when it looks like a part of a photograph */
} Tile;

enum { TONES_NONE, TONES_BY_CONTENT, TONES_EVERYWHERE }; /* what becomes a screen */

/* A colour of tints, and which lines are drawn for it. */
enum { MOST_COLOURS = 32 };
typedef struct {
    uint32_t count; /* pixels that were looked at */
    uint16_t key;
    uint8_t level, pattern;
} Colour;

/* The page as a whole. */
typedef struct {
    Size size, tiles;
    int x_dpi, y_dpi;
    Box content; /* what lies beyond is paper that the document does not know of */
    int tones;
    int raster; /* a picture: there is no knowing what was type */
    uint64_t levels[256];
    int frequent_colours;

    /* As settled. */
    int turned;  /* it is white on black and goes out the other way round */
    int scanned; /* there is paper in it, with its noise */
    int noise;   /* of the paper, in levels, once the paper is white */
    uint8_t stretch[256]; /* tones of photographs as they are screened */
    int colour_count, patterned; /* some tints of one level are to be told apart by their lines */
    Colour colours[MOST_COLOURS];
    Tile tile[];
} Ground;

/* A band of the page: rows from ``first`` on. */
typedef struct {
    const Ground *ground;
    Size size;
    ptrdiff_t first;
    Pixels from;
    int darker; /* -100 (lighter) to 100 */
    const Box *boxes; /* where photographs can be, in pixels of the page; anywhere when the page is a raster */
    ptrdiff_t box_count;

    /* Grey in which type stands out, and luma; the same without the page's type where that is known. */
    uint8_t *type, *tone;
    uint8_t *under_type, *under_tone; /* the same planes as above when it is not known */
    uint8_t *dark_type, *light_type;  /* how much darker or lighter the page is with its type; or NULL */

    uint8_t *closed; /* under_tone without what is dark and narrower than STROKE */
    Mask photo;      /* where a photograph is */
} Band;

/* Pixels that are ``length`` pixels at 204 x 196 to the inch, at least one and odd. */
int pixels_across(const Band *band, int length);
int pixels_down(const Band *band, int length);

/* rows.c: kinds[y] = what row ``y`` of a page in grey is: nothing, black on white, or more than that; ROW_SOLID besides.
 * A pixel that is neither ink nor white and has both near it is the rim of a letter, any other has a tone.  With
 * ``spared`` the page is one part: so many tones do not count, if there is no grey area, with more the kinds remain
 * unknown, and nothing is solid.  Returns 0, 1 for such a page, or -1 without memory. */
enum { ROW_WHITE, ROW_PLAIN, ROW_TONED, ROW_SOLID = 4 };
enum { EVERY_TONE = -1 };    /* ``spared`` of a page that is divided */
enum { SOLID_ROWS = STROKE }; /* at 196 rows to the inch: black areas so high may be solid */
int tell_rows(uint8_t *kinds, const uint8_t *grey, ptrdiff_t stride, Size page, uint8_t ink_below, uint8_t white_from,
              ptrdiff_t solid_rows, ptrdiff_t spared);

/* scans.c: a picture of packed rows, ``paper`` all ones where a set bit is paper, else 0.  Its pixels fill ``box`` of a
 * page in grey, at most twice as many across and down as it has; only ``within``, inside of box and page, is drawn. */
typedef struct {
    const uint8_t *bits;
    ptrdiff_t stride;
    Size size;
    uint64_t paper;
} Picture;
int place_picture(uint8_t *grey, Size page, const Picture *picture, Box box, Box within);

/* pixels.c */
void take_luma(uint8_t *tone, Pixels from, Size size);
void take_planes(uint8_t *type, uint8_t *tone, Pixels from, Size size);
void take_difference(uint8_t *dark, uint8_t *light, Pixels with, Pixels without, Size size);

/* survey.c */
int rows_of_tile(int y_dpi);
Size tiles_of(Size size, int y_dpi);
void survey(Ground *ground, const Band *band, ptrdiff_t from, ptrdiff_t below);

/* pictured.c: marks the tiles of photographs, in the boxes of a drawn page or anywhere in a raster.  Return 0, or
 * -1 without memory. */
int settle_boxes(Ground *ground, const Box *boxes, ptrdiff_t box_count);
int settle_tiles(Ground *ground);
int is_all_photograph(const Ground *ground);

/* ground.c: what white paper is brought to; returns 0, or -1 without memory. */
enum { PAPER_WHITE = 250 };
int settle(Ground *ground, const Box *boxes, ptrdiff_t box_count, int darker);

/* levels.c: returns 0, or -1 without memory. */
int level_band(Band *band);
/* So many times the noise of the paper around a pixel of the band, once the paper is white. */
int least_depth(const Band *band, ptrdiff_t x, ptrdiff_t y, int times);
/* ``depth``, or so many times the noise of the page where that is more. */
int beyond_noise(const Band *band, int depth, int times);

/* From here on functions that return int return 0, or -1 without memory. */

/* photographs.c */
int looks_like_photograph(const Band *band, ptrdiff_t left, ptrdiff_t top);
void mark_photographs(const Band *band);
int screen_photographs(const Band *band, const Mask *screened);

/* tones.c */
int hatch(const Band *band, const Mask *black, const uint8_t *level, const Mask *clear, const Mask *near_type);

enum { WHITE_TINT, PALE_TINT, BLACK_TINT = 5 };
int tint_of(int level);

/* patterns.c */
/* ``is_tint`` says of each level whether lines may tell its tint apart. */
void note_colours(Ground *ground, const Band *band, Box within, int every, const uint8_t is_tint[256], uint8_t *places);
/* Colours are told apart by so many bits of red, green and blue; ``places`` is for each key one more than the place of
 * its colour, or 0. */
enum { COLOUR_BITS = 5, COLOUR_KEYS = 1 << (3 * COLOUR_BITS) };
void take_places(uint8_t *places, const Ground *ground);
void settle_patterns(Ground *ground);
int pattern_at(const Band *band, ptrdiff_t x, ptrdiff_t y);
/* Whether a pixel is on one of a pattern's lines; of ``of`` pixels ``black`` are. */
int is_on_line(const Band *band, int pattern, ptrdiff_t x, ptrdiff_t y, int black, int of);

/* ink.c */
int find_ink(const Band *band, const Mask *ink);
int find_type(const Band *band, const Mask *dark, const Mask *light);
/* Where ``depth`` is at least so much and has such a share, in 1/100, of the greatest one near. */
int where_deep(const Mask *ink, const uint8_t *depth, const Band *band, int least, int share);
enum { LIGHT_SHARE = 55 }; /* of light type */

/* grid.c */
int drop_grid(const Band *band, const Mask *ink, const uint8_t *depth);
/* What is dropped is paper from now on: nobody may take the gaps between stripes for light lines. */
int make_paper(const Band *band, const Mask *dropped);

/* security.c: ``marks`` is what has a depth that counts, ``ink`` what the ground is dropped from. */
int may_have_security_ground(const Band *band, const uint8_t *depth); /* -1 without memory */
int drop_security_ground(const Band *band, const Mask *ink, const Mask *marks, const uint8_t *depth);

/* light.c */
int find_light_type(const Band *band, const Mask *light, const Mask *ink, uint8_t *level);

/* specks.c: of up to so many pixels. */
enum { MOST_SPECK = 8 };
void remove_specks(const Mask *ink, int most);

/* codes.c: ``codes`` is where modules of black and white are, which are then those of ``ink``. */
int find_codes(const Band *band, const Mask *codes, const Mask *ink);

/* lines.c: lines that are not type part round dark type, by so much; ``clear`` is where tints keep away from it. */
enum { HALO = 7 };
int part_lines(const Band *band, const Mask *black, const Mask *dark, const Mask *clear);

/* boxes.c: black round light type, the letters white. */
int set_off(const Band *band, const Mask *black, const Mask *light, const uint8_t *level, const Mask *clear);

/* method.c */
int make_bilevel(Band *band, const Mask *black);
int widen_scaled(const Band *band, const Mask *mask, int across, int down);
int close_scaled(const Band *band, const Mask *mask, int across, int down);

#endif
