// One stroke of a brush, from the first touch to the end: a smooth line through the points, as wide as the pressure says.

const LEAST_PRESSURE = 0.12;

export class Stroke {
  // `colour`: CSS; null erases. `size`: the diameter in pixels of the picture.
  constructor(layer, { size, colour }) {
    this.layer = layer;
    this.size = size;
    this.colour = colour;
    this.points = []; // the last two; {x, y, pressure}
  }

  // Each returns the box of the picture that looks otherwise now.
  begin(point) {
    this.points = [point];
    return this.draw([point], (context) => {
      context.beginPath();
      context.arc(point.x, point.y, this.widthAt(point) / 2, 0, 2 * Math.PI);
      context.fill();
    });
  }

  to(point) {
    const last = this.points.at(-1);
    if (last.x === point.x && last.y === point.y) return null;
    const before = this.points.length > 1 ? middle(this.points[0], last) : last;
    const after = middle(last, point);
    this.points = [last, point];
    return this.line([before, last, after], (context) => context.quadraticCurveTo(last.x, last.y, after.x, after.y));
  }

  // The rest of the line, from the middle of the last two points to the last.
  end() {
    if (this.points.length < 2) return null;
    const [before, last] = this.points;
    return this.line([middle(before, last), last], (context) => context.lineTo(last.x, last.y));
  }

  line(points, path) {
    const [first] = points;
    return this.draw(points, (context) => {
      context.lineWidth = (this.widthAt(first) + this.widthAt(points.at(-1))) / 2;
      context.beginPath();
      context.moveTo(first.x, first.y);
      path(context);
      context.stroke();
    });
  }

  draw(points, how) {
    const reach = this.size / 2 + 1;
    const box = {
      left: Math.min(...points.map((point) => point.x)) - reach,
      top: Math.min(...points.map((point) => point.y)) - reach,
      right: Math.max(...points.map((point) => point.x)) + reach,
      bottom: Math.max(...points.map((point) => point.y)) + reach,
    };
    const erases = this.colour === null;
    this.layer.paint(
      box,
      (context) => {
        context.globalCompositeOperation = erases ? "destination-out" : "source-over";
        context.fillStyle = context.strokeStyle = this.colour ?? "#000000";
        context.lineCap = context.lineJoin = "round";
        how(context);
      },
      erases,
    );
    return box;
  }

  widthAt = ({ pressure }) => Math.max(1, this.size * Math.max(LEAST_PRESSURE, pressure));
}

const middle = (a, b) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, pressure: (a.pressure + b.pressure) / 2 });
