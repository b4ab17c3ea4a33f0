"""botocore's data as the functions' package brings it: of the services they call, and no prose.

python -m aws.data FOLDER writes it there. A function reads it at each cold start, and most of it
in vain: a megabyte names the addresses of four hundred services, and of the models of ours more
than half is documentation. AWS_DATA_PATH names the folder, in which botocore looks before its own
(botocore, "Loaders": `Loader`); what is not in it comes from the runtime's. `bot.amazon` takes it
for botocore's own.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

from botocore.loaders import Loader

SERVICES: Final = ("dynamodb", "sagemaker-runtime", "secretsmanager", "sqs")
MODEL: Final = "service-2"
# Without what a developer may have added to it at home.
_BOTOCORES: Final = Loader(
    [Loader.BUILTIN_DATA_PATH], include_default_search_paths=False, include_default_extras=False
)


def without_prose(model: Any) -> Any:
    """A service's model without its documentation; what is called so but is no text stays."""
    if isinstance(model, list):
        return [without_prose(one) for one in model]
    if not isinstance(model, dict):
        return model
    return {
        name: without_prose(value)
        for name, value in model.items()
        if not (name == "documentation" and isinstance(value, str))
    }


def of_services(endpoints: dict[str, Any], prefixes: set[str]) -> dict[str, Any]:
    """`endpoints.json` with all partitions and regions, and the services of these prefixes."""
    partitions = [
        {
            **partition,
            "services": {
                name: told for name, told in partition["services"].items() if name in prefixes
            },
        }
        for partition in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def write(folder: Path) -> None:
    """Writes the models and the endpoints into the folder, made where it is not there."""
    prefixes = set()
    for service in SERVICES:
        version = _BOTOCORES.determine_latest_version(service, MODEL)
        model = _BOTOCORES.load_service_model(service, MODEL, version)
        prefixes.add(model["metadata"]["endpointPrefix"])
        _write(folder / service / version / f"{MODEL}.json", without_prose(model))
    _write(folder / "endpoints.json", of_services(_BOTOCORES.load_data("endpoints"), prefixes))


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, separators=(",", ":")), "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
