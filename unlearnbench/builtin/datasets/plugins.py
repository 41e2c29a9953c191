"""The built-in data sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unlearnbench.hooks.records import DatasetPlugin
from unlearnbench.hooks.specs import hookimpl

_HERE: Final = "unlearnbench.builtin.datasets"


@hookimpl
def unlearnbench_datasets() -> Iterator[DatasetPlugin]:
    """Yield the data sets."""
    yield DatasetPlugin(
        name="adult",
        summary="Census income: does a person earn over 50,000 dollars a year",
        factory=f"{_HERE}.adult:Adult",
        reference="Becker and Kohavi 1996, doi 10.24432/C5XW20",
        licence="CC BY 4.0",
    )
    yield DatasetPlugin(
        name="digits",
        summary="Handwritten digits, 8 by 8 pixels",
        factory=f"{_HERE}.digits:Digits",
        reference="Alpaydin and Kaynak 1998, doi 10.24432/C50P49",
        licence="CC BY 4.0",
    )
    yield DatasetPlugin(
        name="breast-cancer",
        summary="Wisconsin diagnostic breast cancer: malignant or benign",
        factory=f"{_HERE}.breast_cancer:BreastCancer",
        reference="Wolberg et al. 1993, doi 10.24432/C5DW2B",
        licence="CC BY 4.0",
    )
    yield DatasetPlugin(
        name="foursquare-nyc",
        summary="Check-ins in New York",
        factory=f"{_HERE}.foursquare_nyc:FoursquareNyc",
        reference="Yang et al. 2015, doi 10.1109/TSMC.2014.2327053",
        licence="none stated",
    )
    yield DatasetPlugin(
        name="location30",
        summary="Places that people visited, in 30 clusters",
        factory=f"{_HERE}.location30:Location30",
        reference="Shokri et al. 2017, arXiv 1610.05820",
        licence="none stated",
    )
    yield DatasetPlugin(
        name="us-accidents",
        summary="Car accidents in the United States by severity",
        factory=f"{_HERE}.us_accidents:UsAccidents",
        reference="Moosavi et al. 2019, arXiv 1906.05409",
        licence="CC BY-NC-SA 4.0",
    )
    yield DatasetPlugin(
        name="mislabelled",
        summary="Another data set, with a share of wrong labels",
        factory=f"{_HERE}.mislabelled:Mislabelled",
        licence="that of the other data set",
    )
    yield DatasetPlugin(
        name="canaries",
        summary="Another data set, with canaries: records of wrong labels, made to be memorised",
        factory=f"{_HERE}.canaries.dataset:Canaries",
        reference="Aerni et al. 2024, arXiv 2404.17399",
        licence="that of the other data set",
    )
    yield from _image_sets()
    yield from _sets_on_request()


def _image_sets() -> Iterator[DatasetPlugin]:
    """Yield the data sets of images."""
    yield DatasetPlugin(
        name="mnist",
        summary="Handwritten digits, 28 by 28 pixels",
        factory=f"{_HERE}.mnist:Mnist",
        reference="LeCun et al. 1998, doi 10.1109/5.726791",
        licence="CC BY-SA 3.0",
    )
    yield DatasetPlugin(
        name="fashion-mnist",
        summary="Clothes, 28 by 28 pixels",
        factory=f"{_HERE}.fashion_mnist:FashionMnist",
        reference="Xiao et al. 2017, arXiv 1708.07747",
        licence="MIT",
    )
    yield DatasetPlugin(
        name="cifar10",
        summary="Colour photographs, 32 by 32 pixels",
        factory=f"{_HERE}.cifar10:Cifar10",
        reference="Krizhevsky 2009, Learning multiple layers of features from tiny images",
        licence="none stated",
    )
    yield DatasetPlugin(
        name="stl10",
        summary="Colour photographs, 96 by 96 pixels",
        factory=f"{_HERE}.stl10:Stl10",
        reference="Coates et al. 2011, AISTATS",
        licence="none stated",
    )


def _sets_on_request() -> Iterator[DatasetPlugin]:
    """Yield the data sets that are available only from their authors."""
    for city, name in (("Ny", "New York"), ("La", "Los Angeles")):
        yield DatasetPlugin(
            name=f"insta-{city.lower()}",
            summary=f"Check-ins in {name}, from a file of your own",
            factory=f"{_HERE}.insta:Insta{city}",
            reference="Backes et al. 2017, doi 10.1145/3133956.3133972",
            licence="not public",
        )
