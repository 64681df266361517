FLASK_APP=dashboard.cli
