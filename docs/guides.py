"""Pages of the notebooks, as they are kept: words, code, and what came out of it."""

import base64
import json
import pathlib
import re

NOTEBOOKS = pathlib.Path(__file__).parents[1] / "notebooks"
LINK = re.compile(r"\((\d\d_\w+)\.ipynb\)")  # to another notebook
INDEX = """# Guides

Notebooks with their outputs. Each runs as it stands from a copy of the repository:
`pip install -e '.[dev,notebooks]' && jupyter lab notebooks`.

"""


def files():
    """Name and content of each file: {"guides/NAME": text or bytes of a picture}."""
    found, lines = {}, []
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text, pictures = page(path.stem, cells)
        found[f"guides/{path.stem}.md"] = text
        found |= {f"guides/{name}": content for name, content in pictures.items()}
        title, _, about = "".join(cells[0]["source"]).partition("\n")
        sentence = re.split(r"(?<=[.?])\s", about.strip(), maxsplit=1)[0]
        lines.append(f"- [{title.lstrip('# ')}]({path.stem}.md): {sentence}")
    return {"guides/index.md": INDEX + "\n".join(lines) + "\n", **found}


def page(name, cells):
    """Markdown of a notebook, and its pictures by file name."""
    parts, pictures = [], {}
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(LINK.sub(r"(\1.md)", source))
            continue
        language = "bash" if source.startswith("!") else "python"
        parts.append(f"```{language}\n{source}\n```")
        for output in cell["outputs"]:
            content = "".join(output.get("text", ""))
            if content.strip():
                parts.append(f"```text\n{content.strip()}\n```")
            for kind in ("jpeg", "png"):
                picture = output.get("data", {}).get(f"image/{kind}")
                if picture:
                    file = f"{name}_{len(pictures) + 1}.{kind}"
                    pictures[file] = base64.b64decode("".join(picture))
                    parts.append(f"![Picture {len(pictures)}]({file})")
                    break
    return "\n\n".join(parts) + "\n", pictures
