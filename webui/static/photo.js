// A photograph of a page becomes the page: its four corners are looked for, and what lies between them is drawn
// straight. A picture in which no page is to be seen stays as it is.

const LOOK_SIDE = 400; // pixels of the small picture in which the page is looked for
const LEAST_PART = 0.15; // of the picture: what is smaller is no page that somebody wanted to photograph
// How much of its four corners' area a page fills: letters and shadows are holes, the table around is not in it.
const LEAST_FILLED = 0.75;
const MOST_FILLED = 1.05;
const LEAST_COSINE = -0.5; // corners between 60 and 120 degrees
const MOST_COSINE = 0.5;
// The table's edge shows at the paper's: so much is cut off all around, in parts of the page.
const TRIMMED = 0.008;
// Seen askew a page looks longer or shorter than it is: one of about this shape has the country's own, width by height.
const ABOUT_PAPER = [0.6, 0.9];
const LETTER_COUNTRIES = /-(US|CA|MX|PH)\b/;
const PAPER = LETTER_COUNTRIES.test(document.documentElement.dataset.locale ?? "") ? 8.5 / 11 : Math.SQRT1_2;
const MOST_SIDE = 3508; // of what is made: A4 at 300 dpi
const QUALITY = 0.92; // of the JPEG

// Answers a file: the page alone, or the one that was given.
export async function straightened(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
  if (!picture) return file;
  const corners = findPage(picture);
  if (!corners) return file;
  const page = draw(picture, corners);
  const blob = await new Promise((done) => page.toBlob(done, "image/jpeg", QUALITY));
  return blob ? new File([blob], `${file.name.replace(/\.\w+$/, "")}.jpg`, { type: "image/jpeg" }) : file;
}

function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

// The corners from the upper left on, clockwise, in pixels of the picture; null when there is no page.
function findPage(picture) {
  const scale = Math.min(1, LOOK_SIDE / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const pen = canvasOf(width, height).getContext("2d", { willReadFrequently: true });
  pen.drawImage(picture, 0, 0, width, height);
  const grey = greyOf(pen.getImageData(0, 0, width, height).data);
  const bright = largestPart(grey, threshold(grey), width, height);
  if (bright.length < LEAST_PART * width * height) return null;
  const corners = extremes(bright, width);
  const filled = bright.length / area(corners);
  if (filled < LEAST_FILLED || filled > MOST_FILLED || !isPageLike(corners)) return null;
  return corners.map(([x, y]) => [((x + 0.5) / width) * picture.width, ((y + 0.5) / height) * picture.height]);
}

function greyOf(colours) {
  const grey = new Uint8Array(colours.length / 4);
  for (let at = 0; at < grey.length; at++) {
    grey[at] = (colours[4 * at] * 77 + colours[4 * at + 1] * 150 + colours[4 * at + 2] * 29) >> 8;
  }
  return grey;
}

// Between paper and table (Otsu): where the two sides differ most.
function threshold(grey) {
  const count = new Array(256).fill(0);
  for (const value of grey) count[value]++;
  const sum = count.reduce((so, each, value) => so + each * value, 0);
  let [best, found, below, belowSum] = [0, 128, 0, 0];
  for (let value = 0; value < 256; value++) {
    below += count[value];
    belowSum += count[value] * value;
    const above = grey.length - below;
    if (!below || !above) continue;
    const apart = below * above * (belowSum / below - (sum - belowSum) / above) ** 2;
    if (apart > best) [best, found] = [apart, value];
  }
  return found;
}

// The pixels of the largest bright part that hangs together.
function largestPart(grey, dark, width, height) {
  const seen = new Uint8Array(grey.length);
  let largest = [];
  for (let start = 0; start < grey.length; start++) {
    if (seen[start] || grey[start] <= dark) continue;
    const part = [start];
    seen[start] = 1;
    for (let next = 0; next < part.length; next++) {
      const at = part[next];
      const x = at % width;
      const beside = [x > 0 && at - 1, x < width - 1 && at + 1, at >= width && at - width, at < width * (height - 1) && at + width];
      for (const other of beside) {
        if (other === false || seen[other] || grey[other] <= dark) continue;
        seen[other] = 1;
        part.push(other);
      }
    }
    if (part.length > largest.length) largest = part;
  }
  return largest;
}

// Of a page that does not lie too far askew, each corner is outermost in its own diagonal.
function extremes(part, width) {
  const ways = [[-1, -1], [1, -1], [1, 1], [-1, 1]];
  return ways.map(([across, down]) => {
    let [best, found] = [-Infinity, [0, 0]];
    for (const at of part) {
      const [x, y] = [at % width, Math.floor(at / width)];
      const far = across * x + down * y;
      if (far > best) [best, found] = [far, [x, y]];
    }
    return found;
  });
}

const area = (corners) => Math.abs(corners.reduce((so, [x, y], at) => {
  const [nextX, nextY] = corners[(at + 1) % 4];
  return so + x * nextY - nextX * y;
}, 0)) / 2 || 1;

const length = ([x, y], [otherX, otherY]) => Math.hypot(otherX - x, otherY - y);

function isPageLike(corners) {
  return corners.every((corner, at) => {
    const [before, after] = [corners[(at + 3) % 4], corners[(at + 1) % 4]];
    const sides = length(corner, before) * length(corner, after);
    const cosine = ((before[0] - corner[0]) * (after[0] - corner[0]) + (before[1] - corner[1]) * (after[1] - corner[1])) / sides;
    return sides > 0 && cosine > LEAST_COSINE && cosine < MOST_COSINE;
  });
}

// From a point of the page (0 to 1 across and down) to the picture: the perspective of its four corners.
function perspective([[x0, y0], [x1, y1], [x2, y2], [x3, y3]]) {
  const [dx1, dx2, dx3] = [x1 - x2, x3 - x2, x0 - x1 + x2 - x3];
  const [dy1, dy2, dy3] = [y1 - y2, y3 - y2, y0 - y1 + y2 - y3];
  const under = dx1 * dy2 - dx2 * dy1;
  const g = (dx3 * dy2 - dx2 * dy3) / under;
  const h = (dx1 * dy3 - dx3 * dy1) / under;
  return (u, v) => {
    const w = g * u + h * v + 1;
    return [((x1 - x0 + g * x1) * u + (x3 - x0 + h * x3) * v + x0) / w, ((y1 - y0 + g * y1) * u + (y3 - y0 + h * y3) * v + y0) / w];
  };
}

const trimmed = (part) => TRIMMED + part * (1 - 2 * TRIMMED);

function draw(picture, corners) {
  const [a, b, c, d] = corners;
  let across = Math.max(length(a, b), length(d, c));
  let down = Math.max(length(a, d), length(b, c));
  const shape = Math.min(across, down) / Math.max(across, down);
  if (shape > ABOUT_PAPER[0] && shape < ABOUT_PAPER[1]) {
    if (across < down) down = across / PAPER;
    else across = down / PAPER;
  }
  const scale = Math.min(1, MOST_SIDE / Math.max(across, down));
  const [width, height] = [Math.round(across * scale), Math.round(down * scale)];
  const source = canvasOf(picture.width, picture.height).getContext("2d", { willReadFrequently: true });
  source.drawImage(picture, 0, 0);
  const from = source.getImageData(0, 0, picture.width, picture.height).data;
  const page = canvasOf(width, height);
  const pen = page.getContext("2d");
  const made = pen.createImageData(width, height);
  const place = perspective(corners);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [left, top] = place(trimmed((x + 0.5) / width), trimmed((y + 0.5) / height));
      mix(from, picture.width, picture.height, left - 0.5, top - 0.5, made.data, 4 * (y * width + x));
    }
  }
  pen.putImageData(made, 0, 0);
  return page;
}

// The colour between four pixels.
function mix(from, width, height, left, top, to, at) {
  const x = Math.min(Math.max(left, 0), width - 1.001);
  const y = Math.min(Math.max(top, 0), height - 1.001);
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const [right, below] = [x - column, y - row];
  const here = 4 * (row * width + column);
  const under = here + 4 * width;
  for (let colour = 0; colour < 3; colour++) {
    const upper = from[here + colour] * (1 - right) + from[here + 4 + colour] * right;
    const lower = from[under + colour] * (1 - right) + from[under + 4 + colour] * right;
    to[at + colour] = upper * (1 - below) + lower * below;
  }
  to[at + 3] = 255;
}
