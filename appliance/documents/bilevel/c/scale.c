/* Lengths and tiles at the resolution of the page. */
#include "sheet.h"

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

int widen_scaled(const Band *band, const Mask *mask, int across, int down)
{
    return widen_mask(mask, pixels_across(band, across), pixels_down(band, down));
}

int close_scaled(const Band *band, const Mask *mask, int across, int down)
{
    return close_mask(mask, pixels_across(band, across), pixels_down(band, down));
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
