"""Trees as ONNX, built node by node: exact to the last bit of a comparison, no converter in between.

XGBoost compares float32 values with float32 thresholds by `<`, a missing value goes where the split says; both are
TreeEnsembleRegressor's BRANCH_LT with nodes_missing_value_tracks_true. Sums differ by float32 rounding alone.
"""

from __future__ import annotations

import json

import numpy as np
import onnx
import xgboost as xgb
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from .trees import ANCHORS, EWMA, RATIO_FLOOR, RATIO_OF, TRUST

OPSET = 17
ML_OPSET = 3
IR_VERSION = 8


def rate_model(point: list[xgb.Booster], scale: list[xgb.Booster], names: tuple[str, ...], hours: tuple[int, ...]):
    """`features` [n, F] → `deviation` [n, H] (forecast − ewma_24h) and `scale` [n, H], fractions a year."""
    h = len(hours)
    anchors = np.array([[ANCHORS[one] for one in hours]], dtype=np.float32)
    trust = np.array([[TRUST[one] for one in hours]], dtype=np.float32)
    nodes, constants, widened = _ratios(names)
    nodes += [
        _ensemble([*point, *scale], widened, "sums"),
        helper.make_node("Split", ["sums", "halves"], ["learnt", "ln_scale"], axis=1),
        helper.make_node("Gather", ["features", "at_difference"], ["difference"], axis=1),
        helper.make_node("Mul", ["difference", "anchors"], ["from_ewma"]),
        helper.make_node("Mul", ["learnt", "trust"], ["trusted"]),
        helper.make_node("Add", ["trusted", "from_ewma"], ["deviation"]),
        helper.make_node("Exp", ["ln_scale"], ["scale"]),
    ]
    constants += [
        numpy_helper.from_array(np.array([h, h], dtype=np.int64), "halves"),
        numpy_helper.from_array(np.array([names.index("apr_less_ewma")], dtype=np.int64), "at_difference"),
        numpy_helper.from_array(anchors, "anchors"),
        numpy_helper.from_array(trust, "trust"),
    ]
    return _model("rates", nodes, constants, len(names), [("deviation", h), ("scale", h)])


def risk_model(
    fitted: xgb.Booster | None,
    knots: NDArray[np.float64] | None,
    table: tuple[NDArray[np.float32], NDArray[np.float64]],
    of: tuple[str, str | None],
    names: tuple[str, ...],
):
    """`features` [n, F] → `probability` [n, 1]: the mean of calibrated trees and of a one-column table, or the table.

    knots [K, 2]: margin and probability, both ascending; between knots a straight line, outside the last knot's value.
    table: edges [E] ascending and frequencies [E + 1]; a value has the one after the last edge ≤ it, NaN the last one.
    of: the table's column, and the one that it is divided by (plus the ratios' floor).
    """
    nodes, constants = _table(*table, of, names)
    if fitted is None or knots is None:
        nodes.append(helper.make_node("Identity", ["by_table"], ["probability"]))
        return _model("risk_table", nodes, constants, len(names), [("probability", 1)])
    widen, more, widened = _ratios(names)
    curve, knot_constants = _calibration(knots)
    nodes += [*widen, _ensemble([fitted], widened, "margin"), *curve]
    nodes.append(helper.make_node("Mean", ["by_trees", "by_table"], ["probability"]))
    return _model("risk", nodes, constants + more + knot_constants, len(names), [("probability", 1)])


def _calibration(knots: NDArray[np.float64]) -> tuple[list, list]:
    """`margin` → `by_trees`: p0 + Σ slope · clip(margin − knot, 0, width)."""
    widths = np.diff(knots[:, 0])
    slopes = np.diff(knots[:, 1]) / widths
    nodes = [
        helper.make_node("Sub", ["margin", "knots"], ["past_knot"]),
        helper.make_node("Max", ["past_knot", "zero"], ["above"]),
        helper.make_node("Min", ["above", "widths"], ["within"]),
        helper.make_node("MatMul", ["within", "slopes"], ["climbed"]),
        helper.make_node("Add", ["climbed", "lowest"], ["by_trees"]),
    ]
    constants = [
        numpy_helper.from_array(knots[None, :-1, 0].astype(np.float32), "knots"),
        numpy_helper.from_array(widths[None, :].astype(np.float32), "widths"),
        numpy_helper.from_array(slopes[:, None].astype(np.float32), "slopes"),
        numpy_helper.from_array(np.array([[knots[0, 1]]], dtype=np.float32), "lowest"),
        numpy_helper.from_array(np.zeros((1, 1), dtype=np.float32), "zero"),
    ]
    return nodes, constants


def _table(edges: NDArray, frequency: NDArray, of: tuple[str, str | None], names: tuple[str, ...]) -> tuple[list, list]:
    """`features` → `by_table`: a step up at each edge that the value is not below."""
    column, over = of
    nodes = [helper.make_node("Gather", ["features", "at_column"], ["value"], axis=1)]
    constants = [
        numpy_helper.from_array(np.array([names.index(column)], dtype=np.int64), "at_column"),
        numpy_helper.from_array(edges[None, :].astype(np.float32), "edges"),
        numpy_helper.from_array(np.diff(frequency)[:, None].astype(np.float32), "steps"),
        numpy_helper.from_array(np.array([[frequency[0]]], dtype=np.float32), "least"),
    ]
    if over is not None:
        nodes += [
            helper.make_node("Gather", ["features", "at_over"], ["under"], axis=1),
            helper.make_node("Add", ["under", "table_floor"], ["table_level"]),
            helper.make_node("Div", ["value", "table_level"], ["table_ratio"]),
        ]
        constants += [
            numpy_helper.from_array(np.array([names.index(over)], dtype=np.int64), "at_over"),
            numpy_helper.from_array(np.array([[RATIO_FLOOR]], dtype=np.float32), "table_floor"),
        ]
    nodes += [
        helper.make_node("Less", ["value" if over is None else "table_ratio", "edges"], ["below"]),
        helper.make_node("Not", ["below"], ["passed"]),
        helper.make_node("Cast", ["passed"], ["passes"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["passes", "steps"], ["risen"]),
        helper.make_node("Add", ["risen", "least"], ["by_table"]),
    ]
    return nodes, constants


def _ratios(names: tuple[str, ...]) -> tuple[list, list, str]:
    """`features` and their ratios to the EWMA side by side, as `trees.with_ratios` makes them; the third is the name of both."""
    if EWMA not in names:
        return [], [], "features"
    of = [names.index(name) for name in RATIO_OF if name in names]
    nodes = [
        helper.make_node("Gather", ["features", "at_ewma"], ["ewma"], axis=1),
        helper.make_node("Add", ["ewma", "floor"], ["level"]),
        helper.make_node("Gather", ["features", "at_rates"], ["rates"], axis=1),
        helper.make_node("Div", ["rates", "level"], ["ratios"]),
        helper.make_node("Concat", ["features", "ratios"], ["widened"], axis=1),
    ]
    constants = [
        numpy_helper.from_array(np.array([names.index(EWMA)], dtype=np.int64), "at_ewma"),
        numpy_helper.from_array(np.array(of, dtype=np.int64), "at_rates"),
        numpy_helper.from_array(np.array([[RATIO_FLOOR]], dtype=np.float32), "floor"),
    ]
    return nodes, constants, "widened"


def _ensemble(boosters: list[xgb.Booster], source: str, result: str) -> onnx.NodeProto:
    """All trees of all boosters in one node, each booster a target: [n, F] → [n, len(boosters)]."""
    fields: dict[str, list] = {key: [] for key in _NODE_FIELDS + _LEAF_FIELDS}
    tree_id = 0
    for target, booster in enumerate(boosters):
        for tree in _trees(booster):
            _append(fields, tree, tree_id, target)
            tree_id += 1
    return helper.make_node(
        "TreeEnsembleRegressor",
        [source],
        [result],
        domain="ai.onnx.ml",
        aggregate_function="SUM",
        post_transform="NONE",
        n_targets=len(boosters),
        base_values=[_base(booster) for booster in boosters],
        **fields,
    )


_NODE_FIELDS = (
    "nodes_treeids nodes_nodeids nodes_featureids nodes_values nodes_modes nodes_truenodeids nodes_falsenodeids "
    "nodes_missing_value_tracks_true"
).split()
_LEAF_FIELDS = "target_treeids target_nodeids target_ids target_weights".split()


def _append(fields: dict[str, list], tree: dict, tree_id: int, target: int) -> None:
    for node, left in enumerate(tree["left_children"]):
        leaf = left == -1
        value = float(np.float32(tree["split_conditions"][node]))
        row = (
            (tree_id, node, 0, 0.0, "LEAF", 0, 0, 0)
            if leaf
            else (
                *(tree_id, node, tree["split_indices"][node], value, "BRANCH_LT"),
                *(left, tree["right_children"][node], int(tree["default_left"][node])),
            )
        )
        for key, one in zip(_NODE_FIELDS, row, strict=True):
            fields[key].append(one)
        if leaf:
            for key, one in zip(_LEAF_FIELDS, (tree_id, node, target, value), strict=True):
                fields[key].append(one)


def _trees(booster: xgb.Booster) -> list[dict]:
    return json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]["model"]["trees"]


def _base(booster: xgb.Booster) -> float:
    """What is added to the sum of leaves, in the margin's own space whatever version of XGBoost wrote it."""
    row = np.zeros((1, booster.num_features()), dtype=np.float32)
    matrix = xgb.DMatrix(row)
    leaves = booster.predict(matrix, pred_leaf=True).ravel().astype(int)
    total = sum(np.float64(tree["split_conditions"][leaf]) for tree, leaf in zip(_trees(booster), leaves, strict=True))
    return float(booster.predict(matrix, output_margin=True)[0] - total)


def _model(name: str, nodes: list, constants: list, width: int, outputs: list[tuple[str, int]]) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", width])],
        [helper.make_tensor_value_info(key, TensorProto.FLOAT, ["n", many]) for key, many in outputs],
        constants,
    )
    imports = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    model = helper.make_model(graph, opset_imports=imports, producer_name="tillerml", ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return model
