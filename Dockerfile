# The dashboard, and with another command its scheduler and workers: see compose.yaml.
FROM python:3.12-slim-bookworm

ENV PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1 MNIST_DASH_CACHE=/data MNIST_DASH_DATABASE_URL=sqlite:////data/runs.sqlite
RUN useradd --create-home --uid 10001 dash && install --directory --owner=dash /data
WORKDIR /app
COPY requirements.txt .
RUN pip install -r requirements.txt
COPY app.py ./
COPY .streamlit/config.toml .streamlit/
COPY pages pages
COPY mnist_dash mnist_dash

USER dash
VOLUME /data
EXPOSE 8501
HEALTHCHECK --start-period=60s --timeout=5s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
