"""The WSGI entry point of every face."""

import os

from django.core.wsgi import get_wsgi_application

from config.process import close_memory

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
close_memory()
application = get_wsgi_application()
