"""The OpenAPI 3.1 description of the API."""

from __future__ import annotations

from typing import Any

from kezako import __version__
from kezako.api.bodies import FIELD, FORM, JSON, PLAIN
from kezako.api.settings import ApiSettings

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_PICTURE: Schema = {"type": "string", "contentEncoding": "base64"}


def describe(
    settings: ApiSettings,
    metrics: bool = True,  # whether there is /metrics
) -> Schema:
    """The whole description; it requires a token if `settings` has one."""
    guard: Schema = {"security": [{"token": []}]} if settings.token else {}
    figures = _get("Figures for Prometheus.", "text/plain", _TEXT)
    paths: Schema = {
        "/api/predict": {"post": {**_predict(settings), **guard}},
        "/api/models": {"get": {**_models(), **guard}},
        "/api/openapi.json": {"get": _get("This description.", JSON, {"type": "object"})},
        "/healthz": {"get": _health()},
        **({"/metrics": {"get": {**figures, **guard}}} if metrics else {}),
    }
    if settings.token:
        for described in paths.values():
            for method in described.values():
                if "security" in method:
                    method["responses"]["401"] = _error("The token is missing or wrong.")
    schemes = {"token": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Kezako",
            "version": __version__,
            "description": "Sends pictures to the classifiers of this page.",
        },
        "paths": paths,
        "components": {
            "schemas": _SCHEMAS,
            **({"securitySchemes": schemes} if settings.token else {}),
        },
    }


def _predict(settings: ApiSettings) -> Schema:
    name = {"name": "model", "in": "query", "required": False, "schema": _TEXT}
    return {
        "summary": "Classify one picture or several.",
        "operationId": "predict",
        "description": (
            f"At most {settings.pictures} pictures and {settings.body} MB at once "
            f"({settings.json} MB as JSON). One picture is answered by one answer; several, or a "
            "list in JSON, by a list in their order, in which a picture that cannot be answered "
            "has its error and spoils no other."
        ),
        "parameters": [{**name, "description": "The classifier, from /api/models."}],
        "requestBody": {
            "required": True,
            "content": {
                FORM: {"schema": _form()},
                JSON: {"schema": _ref("Pictures")},
                "image/*": {},
                PLAIN: {},
            },
        },
        "responses": {
            "200": _response("The answer.", {"oneOf": [_ref("Answer"), _ref("Answers")]}),
            "400": _error("The body cannot be read."),
            "403": _error("A script of another web site asked."),
            "404": _error("There is no classifier of that name."),
            "408": _error("The body came too slowly."),
            "413": _error("Too many bytes or pictures."),
            "415": _error("The content type holds no pictures."),
            "422": _error("The one picture is none, or none that can be opened."),
            "429": _come_again("Too many pictures are waiting."),
            "503": _come_again("The answer took too long, or no classifier can be opened."),
        },
    }


def _form() -> Schema:
    return {
        "type": "object",
        "required": [FIELD],
        "properties": {FIELD: {"type": "array", "items": {}, "minItems": 1}},
    }


def _models() -> Schema:
    listed = {"type": "array", "items": _ref("Model")}
    described = _get(
        "The classifiers; the first answers where a request names none.",
        JSON,
        _object({"models": listed}),
    )
    return {**described, "operationId": "models"}


def _health() -> Schema:
    described = _get("Ready for visitors.", JSON, _ref("Health"))
    described["responses"]["503"] = _response("Not ready yet.", _ref("Health"))
    return {**described, "operationId": "health"}


def _get(summary: str, kind: str, schema: Schema) -> Schema:
    return {
        "summary": summary,
        "responses": {"200": {"description": summary, "content": {kind: {"schema": schema}}}},
    }


def _response(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {JSON: {"schema": schema}}}


def _error(description: str) -> Schema:
    return _response(description, _ref("Error"))


def _come_again(description: str) -> Schema:
    seconds = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
    return {**_error(description), "headers": {"Retry-After": seconds}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Schema) -> Schema:
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


_PROBABILITY: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_LABELS: Schema = {"type": "array", "items": _TEXT}
_NAMES: Schema = {"type": "object", "additionalProperties": _TEXT}  # by label
_SCHEMAS: Schema = {
    "Error": _object({"error": {**_TEXT, "description": "What is wrong, and what to do."}}),
    "Answer": _object(
        {
            "label": {
                "type": ["string", "null"],
                "description": "The most probable class; null for none of these.",
            },
            "labels": {**_LABELS, "description": "All classes named."},
            "probabilities": {
                "type": "object",
                "additionalProperties": _PROBABILITY,
                "description": "By class, the most probable first.",
            },
            "known": {
                "type": "boolean",
                "description": "False: the picture is unlike all that the model learnt.",
            },
            "sentence": {**_TEXT, "description": "What the page says."},
            "model": _object(
                {"name": _TEXT, "version": {**_TEXT, "description": "SHA-256 of the model."}}
            ),
            "milliseconds": {**_NUMBER, "description": "Decoding and classifying, no waiting."},
        }
    ),
    "Answers": _object(
        {"answers": {"type": "array", "items": {"oneOf": [_ref("Answer"), _ref("Error")]}}}
    ),
    "Pictures": {
        "oneOf": [
            _object({"picture": _PICTURE}),
            _object({"pictures": {"type": "array", "items": _PICTURE, "minItems": 1}}),
        ]
    },
    "Model": _object(
        {
            "name": _TEXT,
            "title": _TEXT,
            "prompt": _TEXT,
            "answer": {**_TEXT, "description": "What the page says of {label}."},
            "labels": _LABELS,
            "names": {**_NAMES, "description": "What people read, where it is not the label."},
            "language": {**_TEXT, "description": "Of the page; empty: the visitor's browser."},
            "words": {
                "type": "object",
                "additionalProperties": _object(
                    {"title": _TEXT, "prompt": _TEXT, "answer": _TEXT, "classes": _NAMES}
                ),
                "description": "Translations, by language; what is empty is not translated.",
            },
            "task": {"enum": ["single", "multi"]},
            "version": {**_TEXT, "description": "SHA-256 of the model."},
            "error": {
                "type": ["number", "null"],
                "description": "Share of the validation pictures that it gets wrong.",
            },
            "pictures": {
                "type": ["integer", "null"],
                "description": "How many validation pictures that was measured on.",
            },
            "knows_none_of_these": {
                "type": "boolean",
                "description": "Whether it tells pictures that are unlike all its classes.",
            },
        }
    ),
    "Health": _object({"status": {"enum": ["ready", "not ready"]}, "missing": _LABELS}),
}
