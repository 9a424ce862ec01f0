# The page of one classifier, in a container:
#   docker build -t kezako . && docker run -p 7860:7860 kezako
# For Hugging Face Spaces, kezako deploy spaces writes a folder with what it needs and no more.
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 visitor
WORKDIR /app

COPY binder/requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt

# They belong to root, and the page runs as somebody else: it can read them and no more.
ARG NAME=bears
COPY kezako kezako
COPY voila_snapshot voila_snapshot
COPY notebooks/app.ipynb notebooks/
COPY models/${NAME} models/${NAME}
RUN python -m compileall -q kezako voila_snapshot && chmod -R u=rwX,go=rX /app

USER 1000
ENV HOME=/home/visitor \
    PYTHONUNBUFFERED=1 \
    KEZAKO_FRAME_ANCESTORS="'self' https://huggingface.co"
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
CMD ["python", "-m", "kezako", "serve", "--host", "0.0.0.0", "--port", "7860", "--no-browser"]
