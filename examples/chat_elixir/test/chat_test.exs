defmodule ChatTest do
  use ExUnit.Case

  test "two people talk, and one leaves" do
    ada = join("Ada")
    assert line(ada) == "* Ada came"
    joe = join("Joe")
    assert line(ada) == "* Joe came"
    assert line(joe) == "* Joe came"

    say(joe, "Hello, Ada")
    assert line(ada) == "Joe: Hello, Ada"
    assert line(joe) == "Joe: Hello, Ada"

    :ok = :gen_tcp.close(joe)
    assert line(ada) == "* Joe left"
    :ok = :gen_tcp.close(ada)
  end

  test "the page is served" do
    socket = connect()
    :ok = :gen_tcp.send(socket, "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
    assert {:ok, "HTTP/1.1 200 OK\r\n" <> _} = :gen_tcp.recv(socket, 0, 5000)
    :ok = :gen_tcp.close(socket)
  end

  # As much of a WebSocket client as these tests need: texts of less than 126 bytes.

  defp join(name) do
    socket = connect()

    :ok =
      :gen_tcp.send(socket, """
      GET /chat/#{name} HTTP/1.1\r
      host: localhost\r
      connection: upgrade\r
      upgrade: websocket\r
      sec-websocket-version: 13\r
      sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r
      \r
      """)

    :ok = :inet.setopts(socket, packet: :line)
    {:ok, "HTTP/1.1 101 " <> _} = :gen_tcp.recv(socket, 0, 5000)
    skip_headers(socket)
    :ok = :inet.setopts(socket, packet: :raw)
    socket
  end

  defp skip_headers(socket) do
    case :gen_tcp.recv(socket, 0, 5000) do
      {:ok, "\r\n"} -> :ok
      {:ok, _header} -> skip_headers(socket)
    end
  end

  # A mask of zeros leaves the text as it is.
  defp say(socket, text) do
    :ok = :gen_tcp.send(socket, <<0x81, 1::1, byte_size(text)::7, 0::32, text::binary>>)
  end

  defp line(socket) do
    {:ok, <<0x81, length>>} = :gen_tcp.recv(socket, 2, 5000)
    {:ok, text} = :gen_tcp.recv(socket, length, 5000)
    text
  end

  defp connect do
    options = [:binary, active: false]
    {:ok, socket} = :gen_tcp.connect({127, 0, 0, 1}, Chat.Application.listening_port(), options)
    socket
  end
end
