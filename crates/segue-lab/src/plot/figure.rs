//! Draws a recording as SVG: time and sequence above, then windows, rate and round-trip time on the same time axis.
//!
//! Decides layout and colours only. What falls on the same pixel is drawn once, so that the size of a picture depends on
//! its width and not on the length of the transfer.
use std::collections::HashSet;
use std::fmt;
use std::io;
use std::path::Path;

use plotters::chart::SeriesLabelPosition;
use plotters::coord::Shift;
use plotters::prelude::*;

use super::recording::{Flow, Point, Recording, Series, Stretch};

const WIDTH: u32 = 1400;
/// Height of the time and sequence panel, and of each panel below it.
const TALL: u32 = 520;
const LOW: u32 = 220;
/// Columns and rows in which neighbours are told apart.
const COLUMNS: f64 = 2000.0;
const ROWS: f64 = 1200.0;

const SENT: RGBColor = RGBColor(31, 119, 180);
const RESENT: RGBColor = RGBColor(214, 39, 40);
const SACKED: RGBColor = RGBColor(148, 103, 189);
const ACKED: RGBColor = RGBColor(44, 160, 44);
const EDGE: RGBColor = RGBColor(255, 127, 14);
const GREY: RGBColor = RGBColor(120, 120, 120);

/// Why there is no picture.
#[derive(Debug)]
#[non_exhaustive]
pub enum PlotError {
    /// Nothing was sent, so there is nothing to draw.
    Nothing,
    /// The file could not be written.
    Io(io::Error),
    /// The drawing itself failed.
    Draw(String),
}

impl fmt::Display for PlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlotError::Nothing => f.write_str("nothing was sent, so there is nothing to draw"),
            PlotError::Io(error) => write!(f, "the picture could not be written: {error}"),
            PlotError::Draw(error) => write!(f, "the picture could not be drawn: {error}"),
        }
    }
}

impl std::error::Error for PlotError {}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), PlotError>;

fn broken(error: impl fmt::Display) -> PlotError {
    PlotError::Draw(error.to_string())
}

impl Recording {
    /// The recording as an SVG picture: for each direction that carried data, its sequence numbers over time (sent, sent
    /// again, lost, selectively and cumulatively acknowledged, the window's edge), windows, pacing rate, round-trip time.
    ///
    /// # Errors
    /// [`PlotError::Nothing`] for an empty recording.
    pub fn svg(&self) -> Result<String, PlotError> {
        let flows = self.flows();
        if flows.is_empty() {
            return Err(PlotError::Nothing);
        }
        let mut text = String::new();
        {
            let each = TALL + 3 * LOW;
            let root = SVGBackend::with_string(&mut text, (WIDTH, each * flows.len() as u32)).into_drawing_area();
            root.fill(&WHITE).map_err(broken)?;
            for (flow, area) in flows.iter().zip(root.split_evenly((flows.len(), 1))) {
                draw(flow, &area)?;
            }
            root.present().map_err(broken)?;
        }
        Ok(text)
    }

    /// Writes [`Recording::svg`] to a file.
    ///
    /// # Errors
    /// [`PlotError::Io`] when it cannot be written, and those of [`Recording::svg`].
    pub fn save(&self, file: &Path) -> Drawn {
        std::fs::write(file, self.svg()?).map_err(PlotError::Io)
    }
}

fn draw(flow: &Flow, area: &Area<'_>) -> Drawn {
    let end = flow.rto.entries.iter().chain(&flow.acknowledged.entries).map(|point| point.seconds);
    let seconds = end.fold(1e-6, f64::max) * 1.01;
    let (top, rest) = area.split_vertically(TALL);
    sequences(flow, seconds, &top)?;
    let [windows, rates, times] = &rest.split_evenly((3, 1))[..] else { return Ok(()) };
    let segments =
        [("cwnd", &flow.cwnd, SENT), ("ssthresh", &flow.ssthresh, RESENT), ("in flight", &flow.in_flight, ACKED)];
    lines("segments", seconds, windows, &segments)?;
    let goodput = goodput(&flow.acknowledged, seconds);
    lines("Mbit/s", seconds, rates, &[("pacing rate", &flow.pacing, SENT), ("acknowledged", &goodput, ACKED)])?;
    lines("milliseconds", seconds, times, &[("smoothed RTT", &flow.srtt, SENT), ("RTO", &flow.rto, GREY)])
}

/// What was acknowledged per hundredth of the time, in Mbit/s.
fn goodput(acknowledged: &Series<Point>, seconds: f64) -> Series<Point> {
    const PARTS: usize = 100;
    let width = seconds / PARTS as f64;
    let mut rate = Series::default();
    let mut at = 0;
    let mut before = 0.0;
    for part in 1..=PARTS {
        let until = part as f64 * width;
        let mut now = before;
        while let Some(point) = acknowledged.entries.get(at).filter(|point| point.seconds <= until) {
            now = point.value.max(now);
            at += 1;
        }
        rate.entries.push(Point { seconds: until - width / 2.0, value: (now - before) * 8.0 / 1e6 / width });
        before = now;
    }
    rate
}

fn sequences(flow: &Flow, seconds: f64, area: &Area<'_>) -> Drawn {
    let sent = flow.sent.entries.iter().chain(&flow.resent.entries).map(|stretch| stretch.to).max();
    let top = sent.unwrap_or(1) as f64 / 1e6 * 1.05;
    let mut chart = ChartBuilder::on(area)
        .caption(format!("bytes from {}", flow.from), ("sans-serif", 18))
        .margin(8)
        .x_label_area_size(28)
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..seconds, 0.0..top)
        .map_err(broken)?;
    chart.configure_mesh().x_desc("seconds").y_desc("MB").light_line_style(TRANSPARENT).draw().map_err(broken)?;
    let stretches = [
        ("sent", &flow.sent, SENT, 1),
        ("selectively acknowledged", &flow.sacked, SACKED, 1),
        ("sent again", &flow.resent, RESENT, 2),
    ];
    let scale = (COLUMNS / seconds, ROWS / top);
    for (label, series, colour, width) in stretches {
        let bars = thin(series, scale).into_iter();
        let style = colour.stroke_width(width);
        let drawn = chart.draw_series(bars.map(|bar| PathElement::new(bar.to_vec(), style))).map_err(broken)?;
        if !series.entries.is_empty() {
            drawn.label(label).legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(3)));
        }
    }
    let lost = flow.lost.entries.iter().map(|stretch| (stretch.seconds, stretch.from as f64 / 1e6));
    let lost: Vec<_> = once_per_pixel(lost, scale);
    if !lost.is_empty() {
        let crosses = lost.into_iter().map(|place| Cross::new(place, 3, BLACK.stroke_width(1)));
        let drawn = chart.draw_series(crosses).map_err(broken)?;
        drawn.label("lost on the path").legend(|(x, y)| Cross::new((x + 8, y), 4, BLACK));
    }
    for (label, series, colour) in [("acknowledged", &flow.acknowledged, ACKED), ("window's edge", &flow.edge, EDGE)] {
        let points = series.entries.iter().map(|point| (point.seconds, (point.value / 1e6).min(top)));
        let drawn = chart.draw_series(LineSeries::new(once_per_pixel(points, scale), &colour)).map_err(broken)?;
        drawn.label(label).legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    let mut labels = chart.configure_series_labels();
    labels.background_style(WHITE.mix(0.8)).border_style(GREY).position(SeriesLabelPosition::UpperLeft);
    labels.draw().map_err(broken)
}

fn lines(unit: &str, seconds: f64, area: &Area<'_>, series: &[(&str, &Series<Point>, RGBColor)]) -> Drawn {
    let values = series.iter().flat_map(|(_, series, _)| &series.entries).map(|point| point.value);
    let top = values.fold(0.0, f64::max).max(1e-9) * 1.08;
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .x_label_area_size(28)
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..seconds, 0.0..top)
        .map_err(broken)?;
    chart.configure_mesh().y_desc(unit).light_line_style(TRANSPARENT).draw().map_err(broken)?;
    for &(label, series, colour) in series {
        if series.entries.is_empty() {
            continue;
        }
        let points = once_per_pixel(steps(series), (COLUMNS / seconds, ROWS / top));
        let drawn = chart.draw_series(LineSeries::new(points, &colour)).map_err(broken)?;
        drawn.label(label).legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    let mut labels = chart.configure_series_labels();
    labels.background_style(WHITE.mix(0.8)).border_style(GREY).position(SeriesLabelPosition::UpperRight);
    labels.draw().map_err(broken)
}

/// A value holds until the next one.
fn steps(series: &Series<Point>) -> impl Iterator<Item = (f64, f64)> {
    let next = series.entries.iter().skip(1).map(Some).chain([None]);
    series.entries.iter().zip(next).flat_map(|(point, next)| {
        let end = next.filter(|next| next.value != point.value).map(|next| (next.seconds, point.value));
        [Some((point.seconds, point.value)), end].into_iter().flatten()
    })
}

/// Bars of one column that touch become one.
fn thin(series: &Series<Stretch>, scale: (f64, f64)) -> Vec<[(f64, f64); 2]> {
    let mut bars: Vec<[(f64, f64); 2]> = Vec::new();
    for stretch in &series.entries {
        let (from, to) = (stretch.from as f64 / 1e6, stretch.to as f64 / 1e6);
        if let Some([start, end]) = bars.last_mut() {
            let same_column = (start.0 * scale.0) as i64 == (stretch.seconds * scale.0) as i64;
            let gap = 1.0 / scale.1;
            if same_column && from <= end.1 + gap && to >= start.1 - gap {
                start.1 = start.1.min(from);
                end.1 = end.1.max(to);
                continue;
            }
        }
        bars.push([(stretch.seconds, from), (stretch.seconds, to)]);
    }
    bars
}

fn once_per_pixel(points: impl Iterator<Item = (f64, f64)>, scale: (f64, f64)) -> Vec<(f64, f64)> {
    let mut taken = HashSet::new();
    points.filter(|(x, y)| taken.insert(((x * scale.0) as i64, (y * scale.1) as i64))).collect()
}
