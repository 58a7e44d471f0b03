"""The plot: for each case MB per CPU-second of the agent beside the floor's. By gnuplot, of Debian's package gnuplot-nox."""

import os
import shutil
import subprocess

from bench import Failed

WITHOUT = "no plot: gnuplot is missing; apt-get install -y --no-install-recommends gnuplot-nox (or scripts/setup bench)"

SCRIPT = """set terminal pngcairo size 1100,560 font "sans,11"
set output "{png}"
set title "{title}"
set ylabel "MB of events per CPU-second"
set style data histograms
set style histogram clustered gap 1 errorbars linewidth 1
set style fill solid 0.85 border -1
set bars small
set grid ytics
set yrange [0:*]
set key outside top center horizontal
set bmargin 4
set xtics nomirror
plot "{table}" using 2:3:4:xtic(1) title "agent" linecolor rgb "#2b6ca3", \\
     "" using 5:6:7 title "floor: SHA-256, libdeflate 6, SHA-256" linecolor rgb "#c9b458"
"""


def draw(result, folder):
    """bench.png in `folder`, or None and why not; what gnuplot was given stays beside it."""
    cases = [case for case in result["cases"] if "ratio" in case and "agent" in case]
    png, table, script = (os.path.join(folder, name) for name in ("bench.png", "bench.dat", "bench.gnuplot"))
    if os.path.exists(png):
        os.unlink(png)  # one of an earlier run would pass for this one's
    if not cases:
        return None, "no plot: no case with a floor was measured"
    if not shutil.which("gnuplot"):
        return None, WITHOUT
    with open(table, "w") as file:
        file.write("# case, then median, min and max of the agent and of the floor, MB per CPU-second\n")
        for case in cases:
            numbers = [case[who][what] for who in ("agent", "floor") for what in ("median", "min", "max")]
            file.write(f'"{case["name"]}\\n{case["data"]["name"]}" {" ".join(f"{number:.3f}" for number in numbers)}\n')
    title = f"holdfast {result['commit'][:12]}, {result['machine']['cpu']}: medians, lines from least to most"
    with open(script, "w") as file:
        file.write(SCRIPT.format(png=png, table=table, title=title.replace('"', "'")))
    done = subprocess.run(["gnuplot", script], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0 or not os.path.exists(png):
        raise Failed(f"gnuplot could not draw {png}: {done.stderr.strip()}")
    return png, ""
