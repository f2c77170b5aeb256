import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from quantleak.data.groups import codes_of, merge_groups

labellings = st.integers(1, 25).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 12), min_size=n, max_size=n), min_size=1, max_size=3)
)


@given(labellings)
def test_groups_are_the_connected_components_of_sharing_a_label(labellings):
    graph = nx.Graph()
    graph.add_nodes_from(range(len(labellings[0])))
    for labels in labellings:
        graph.add_edges_from((i, j) for i in graph for j in graph if i < j and labels[i] == labels[j])
    expected = {frozenset(component) for component in nx.connected_components(graph)}
    merged = merge_groups(*labellings)
    assert {frozenset(np.flatnonzero(merged == code).tolist()) for code in set(merged.tolist())} == expected


@given(st.lists(st.text(max_size=2)))
def test_codes_are_numbered_by_first_appearance(labels):
    order = list(dict.fromkeys(labels))
    assert codes_of(labels).tolist() == [order.index(label) for label in labels]


def test_labels_may_be_text_bytes_and_numbers():
    assert merge_groups([b"a", b"b", b"c"], np.array(["x", "x", "y"])).tolist() == [0, 0, 1]
