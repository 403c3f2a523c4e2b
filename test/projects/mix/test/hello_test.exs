defmodule HelloTest do
  use ExUnit.Case

  @handshake "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" <>
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

  test "the socket in the supervision tree says hello" do
    {:ok, socket} = :gen_tcp.connect('127.0.0.1', :drover.get_port(:hello), [:binary, active: false])
    :ok = :gen_tcp.send(socket, @handshake)
    assert "HTTP/1.1 101" <> _ = head(socket, "")
    # The text "Joe", masked with zeros.
    :ok = :gen_tcp.send(socket, <<1::1, 0::3, 1::4, 1::1, 3::7, 0::32, "Joe">>)
    assert {:ok, <<1::1, 0::3, 1::4, 9::8, "Hello Joe">>} = :gen_tcp.recv(socket, 11, 5000)
  end

  defp head(socket, read) do
    {:ok, byte} = :gen_tcp.recv(socket, 1, 5000)
    read = read <> byte
    if String.ends_with?(read, "\r\n\r\n"), do: read, else: head(socket, read)
  end
end
