"""Lets legacy systems validate over RabbitMQ: their messages in, their answers out."""
