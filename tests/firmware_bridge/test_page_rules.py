"""The page's reader of recordings against Python's: the same columns, units and clocks, or both refuse."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.firmware_bridge.page_in_node import RULES, in_node, missing_node
from tests.firmware_bridge.pages import Site
from vskd.bundle.contract import SensorContract
from vskd.errors import VskdError
from vskd.firmware_bridge.stream_file import check_layout, read_layout
from vskd.preprocessing.sensor.column_names import TimeColumn, columns_by_name, time_columns
from vskd.preprocessing.sensor.units import conversion

READ = """
    return given.map(([name, text]) => {
      try {
        const found = vskd.readRecording(name, text, vskd.contract);
        return { samples: [...found.samples], times: found.times && [...found.times].map(Number) };
      } catch (error) {
        if (!(error instanceof vskd.Refusal)) throw error;
        return { refused: error.message };
      }
    });
"""
BODY = [("0.00", "0.1", "-0.2", "1.0"), ("0.02", "0.15", "-0.25", "0.95"), ("0.05", "0.1", "-0.3", "0.9")]
WORDS = [
    *("x", "y", "z", "X", "acc_x", "accY", "zAcc", "ax", "gx", "gyro_x", "gyro_y"),
    *(
        "gyro_z",
        "rotationX",
        "mag_z",
        "lin_acc_x",
        "gravity_y",
        "time",
        "time_s",
        "timestamp_ms",
        "t",
        "seconds_elapsed",
        "row",
    ),
    *(
        "force_x",
        "acc_x_filtered",
        "quat_x",
        "temperature",
        "z[g]",
        "y_[m/s^2]",
        "x(mg)",
        "acceleration_z_g",
        "date",
        "ms",
        "pos_x",
    ),
]


FORMS = ["?", "acc_?", "a?", "Accelerometer ? (g)", "gyro?", "? [m/s^2]", "acc?_raw", "?_g", "lin_acc_?", "gFx?"]


@pytest.fixture(autouse=True)
def _node() -> None:
    if missing_node():
        pytest.skip(missing_node())


def contract_of(site: Site) -> SensorContract:
    contract = site.firmware.bundle.manifest.contract
    assert isinstance(contract, SensorContract)
    return contract


def in_python(folder: Path, site: Site, name: str, text: str) -> tuple[list[float], list[int] | None] | None:
    """Samples and times as `vskd predict --stream` reads them; None where it refuses."""
    from vskd.firmware_bridge.stream_file import _pieces

    file, contract = folder / name, contract_of(site)
    file.write_text(text, encoding="utf-8")
    try:
        layout = read_layout(file, contract)
        assert site.firmware.plan is not None
        check_layout(file, layout, site.firmware.plan)
        pieces = list(_pieces(file, layout))
    except VskdError:
        return None
    samples = np.concatenate([piece for piece, _ in pieces]).reshape(-1).tolist()
    return samples, None if layout.clock is None else [
        int(t) for _, times in pieces if times is not None for t in times
    ]


def headers(generator: np.random.Generator, count: int) -> list[str]:
    """Recordings whose four columns have names at random."""
    texts = []
    for _ in range(count):
        names = generator.choice(WORDS, 4).astype(object)
        if generator.random() < 0.5:  # three axes named alike, beside anything
            form = str(generator.choice(FORMS))
            names[1:] = [form.replace("?", axis) for axis in "xyz"]
        mark = str(generator.choice([",", ";", "\t"]))
        order = generator.permutation(4)
        rows = [mark.join(row[k] for k in order) for row in BODY]
        texts.append("\n".join([mark.join(names), *rows]) + "\n")
    return texts


USUAL = [
    "time_s,x,y,z\n",
    "t,x [g],y [g],z [g]\n",
    "timestamp (ms),acc_x,acc_y,acc_z\n",
    "seconds_elapsed,z,y,x\n",
    "x,y,z,time_us\n",
    "time_s,x [m/s^2],y [m/s^2],z [m/s^2]\n",
    "time_s,gyro_x,gyro_y,gyro_z\n",
    "time_s,x,y,acc_z\n",
    "# unit: g\ntime_s,x,y,z\n",
    "# unit: mg\ntime_s,x,y,z\n",
    "# sensor: gyroscope\ntime_s,x,y,z\n",
    "# rate: 50\n# rate: 60\ntime_s,x,y,z\n",
    "# rate_hz: 100 Hz\nx,y,z\n",
    "# rate_hz: 0,0505 kHz (nominal)\ntime_s,x,y,z\n",
    "# rate_hz: -50\ntime_s,x,y,z\n",
    "# time_s,x,y,z\n",
    "a logger of 2020\ntime_s,x,y,z\ns,g,g,g\n",
    "time_s,Linear Acceleration x,Linear Acceleration y,Linear Acceleration z\n",
    "time_s,x,y\n",
    "x,y,z\n1700000000,1700000000,1700000000\n50.0,50.0,50.0\n",
    "time_ns,x,y,z\n",
    "",
]
BODIES = [
    "".join(",".join(row) + "\n" for row in BODY),
    "".join(f"{20 * n},0.{n}25,-0.{n},1e-3\n" for n in range(5)),
    "".join(f'{20 * n},"0.{n}", -0.{n},nan\n' for n in range(5)),
    "".join(f"{1_600_000_000_000 + 20 * n},0.{n},-.5,3.\n" for n in range(5)),
    "".join(f"{n},0.{n},inf,3\n" for n in range(5)),
    "0.1,0.2,0.3,0.4\n0.2,0.2,0.3\n0.3,1,1,1\n0.4,1,1,1\n",
    "0.1,0.2,0.3,0.4\n0.2,here,0.3,4\n0.3,1,1,1\n0.4,1,1,1\n",
    "".join(f"{20_000_500 * n},0.{n},-.5,3.\n" for n in range(5)) + "100001600,1,1,1\n",
    "".join(f"0,{2 * n};0,{n};-1,5;1,0\n" for n in range(5)),
    "".join(f"0.{n},-0.{n},1.0\n" for n in range(5)),
    "-0.1,0.2,0.3,0.4\n-0.05,1,0.3,4\n0.3,1,1,1\n",
    "",
]


def test_columns_of_any_stream_are_known_alike(site: Site) -> None:
    generator, words = (
        np.random.default_rng(1),
        [*WORDS, "angularVelocityX", "angular_rate_y", "velocity_z", "wz", "Yaw"],
    )
    streams = ["accelerometer", "gyroscope", "watch gyroscope", "gravity", "barometer"]
    given = [(generator.choice(words, 5).tolist(), str(generator.choice(streams))) for _ in range(300)]
    for form in ("angularVelocity?", "gyro_?", "rotation rate ?", "gravity?", "barometer ?", "?"):
        given += [([form.replace("?", axis) for axis in "zxy"], stream) for stream in streams]
    stamped = [
        "accelerometerTimestamp_sinceReboot",
        "gyro_time_ms",
        "a_time",
        "time of gravity",
        "motionTimestamp",
        "t",
    ]
    given += [(stamped, stream) for stream in streams]
    script = "return given.map(([n, s]) => [vskd.columnsByName(n, ['x', 'y', 'z'], s), vskd.timeColumns(n, [], s)]);"
    taken = 0
    for (names, stream), (choice, clocks) in zip(given, in_node(site.folder, RULES, script, given), strict=True):
        expected = columns_by_name(names, ("x", "y", "z"), stream)
        assert tuple(choice.get("columns", ())) == expected.columns, (names, stream)
        found = [TimeColumn(one["index"], one["name"], one["seconds"]) for one in clocks]
        assert found == list(time_columns(names, (), stream)), (names, stream)
        taken += bool(expected.columns)
    assert taken > 10


def same(answer: dict[str, Any], expected: tuple[list[float], list[int] | None]) -> bool:
    samples = np.array([np.nan if v is None else v for v in answer["samples"]], np.float32)
    wanted = np.array(expected[0], np.float32)
    wanted[np.isinf(wanted)] = np.nan  # JSON has neither
    return np.array_equal(samples, wanted, equal_nan=True) and answer["times"] == expected[1]


def test_recordings_are_read_alike_or_refused_by_both(site: Site, tmp_path: Path) -> None:
    texts = [head + body for head, body in itertools.product(USUAL, BODIES)]
    texts += headers(np.random.default_rng(0), 400)
    given = [("recording.csv", text) for text in texts] + [("gyroscope.csv", USUAL[0] + BODIES[0])]
    given.append(("ends.csv", "x;y;z;\n" + "0.1;0.2;0.3;\n" * 40))
    answers = in_node(site.folder, RULES, READ, given)
    taken = refused = 0
    for (name, text), answer in zip(given, answers, strict=True):
        expected = in_python(tmp_path, site, name, text)
        if expected is None:
            assert "refused" in answer, text
            refused += 1
        elif "refused" in answer:  # stricter than Python, as recording.js says
            assert "have no names" in answer["refused"], (text, answer)
        else:
            assert same(answer, expected), (text, answer, expected)
            taken += 1
    assert taken > 100 and refused > 200


REFUSALS = {
    USUAL[5] + BODIES[0]: "Wrong unit: the model asks for g, the file says m/s^2. Convert the samples.",
    USUAL[6] + BODIES[0]: "which is gyroscope, not accelerometer",
    USUAL[0] + BODIES[6]: "Data row 2 is not 4 numbers. Correct this row; a gap may be nan.",
    USUAL[0]: "no row of numbers",
    "# rate_hz: 100 Hz\nx,y,z\n1,2,3\n4,5,6\n": "Wrong rate: the stream has 50 Hz, the file says 100 Hz.",
    BODIES[0]: "have no names. Write a header, e.g. time_s,x,y,z.",
    "date,x,y,z\n2026-01-01 10:00:00,1,1,1\n2026-01-01 10:00:01,1,1,1\n": "are no counts of seconds",
}


def test_a_refusal_says_what_to_do(site: Site) -> None:
    answers = in_node(site.folder, RULES, READ, [("recording.csv", text) for text in REFUSALS])
    for answer, problem in zip(answers, REFUSALS.values(), strict=True):
        assert problem in answer["refused"]


def test_units_are_converted_alike(site: Site) -> None:
    texts = [
        "g",
        "G",
        "mg",
        "m/s²",
        "m/(sec^2)",
        "1/64 g",
        "0.001 * g",
        "1e-3 g",
        "furlong",
        "rad/s",
        "g (raw)",
        "2/0 g",
    ]
    script = "return given.map((one) => vskd.conversion(one, 'g'));"
    found = in_node(site.folder, RULES, script, texts)
    for text, factor in zip(texts, found, strict=True):
        expected = conversion(text, "g")
        assert factor == expected or factor == pytest.approx(expected, rel=1e-15), text
